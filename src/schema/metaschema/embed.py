"""Write the metaschemas named on the command line as one C table: embed.py OUTPUT FILE..."""

import json
import sys


def main(output, files):
    lines = ['#include "schema/metaschema.h"', ""]
    entries = []
    for number, name in enumerate(files):
        with open(name, "rb") as file:
            content = file.read()
        # Shorter by half without white space, and the same document.
        document = json.loads(content)
        content = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        lines.append(f"static const char document_{number}[] = {{")
        for at in range(0, len(content), 24):
            lines.append("    " + ",".join(str(byte) for byte in content[at : at + 24]) + ",")
        lines.append("};")
        uri = document.get("$id", document.get("id")).rstrip("#")
        entries.append(f'    {{"{uri}", {{document_{number}, sizeof document_{number}}}}},')
    lines += ["", "const struct metaschema metaschemas[] = {", *entries, "    {NULL, {NULL, 0}},", "};", ""]
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
