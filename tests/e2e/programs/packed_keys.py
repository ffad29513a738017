"""Keys as the runtime packs them."""

import struct


def unpack(data):
    """The values of a FoundationDB tuple."""
    at, values = 0, []

    def zero_ended():
        nonlocal at
        out = bytearray()
        while True:
            end = data.index(0, at)
            out += data[at:end]
            at = end + 1
            if at < len(data) and data[at] == 0xff:
                out.append(0)
                at += 1
            else:
                return bytes(out)

    while at < len(data):
        code = data[at]
        at += 1
        if code == 0x00:
            values.append(None)
        elif code == 0x01:
            values.append(zero_ended().decode())
        elif code == 0x02:
            values.append(zero_ended().decode())
        elif 0x0c <= code <= 0x1c:
            size = abs(code - 0x14)
            number = int.from_bytes(data[at:at + size], "big")
            at += size
            values.append(number if code >= 0x14 else number - (1 << 8 * size) + 1)
        elif code == 0x21:
            raw = bytearray(data[at:at + 8])
            at += 8
            raw = bytes([raw[0] ^ 0x80]) + bytes(raw[1:]) if raw[0] & 0x80 else bytes(b ^ 0xff for b in raw)
            values.append(struct.unpack(">d", raw)[0])
        elif code in (0x26, 0x27):
            values.append(code == 0x27)
        else:
            raise ValueError(f"cannot unpack the code {code:#x}")
    return values
