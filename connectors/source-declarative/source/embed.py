"""A connector's manifest as a C array: embed.py NAME FILE SHOWN OUTPUT. What the connector reads is the file, byte for byte."""

import sys


def main(name, path, shown, output):
    with open(path, "rb") as file:
        content = file.read()
    lines = ['#include "source-declarative/source/built_in.h"', "", f"static const char text_{name}[] = {{"]
    for at in range(0, len(content), 24):
        lines.append("    " + ",".join(str(byte - 256 if byte > 127 else byte) for byte in content[at:at + 24]) + ",")
    lines += ["};", f"const struct built_in_manifest manifest_{name} = {{\"{shown}\", text_{name}, sizeof text_{name}}};", ""]
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
