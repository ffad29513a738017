"""Kafka's protocol, by hand: record batches, and a Produce with one of them."""

import struct

from pushing import COLLECTION


def varint(number):
    number = (number << 1) ^ (number >> 63)
    out = b""
    while number > 0x7f:
        out, number = out + bytes([number & 0x7f | 0x80]), number >> 7
    return out + bytes([number])


def record(value, key=None, headers=0):
    body = b"\0" + varint(0) + varint(0) + (varint(-1) if key is None else varint(len(key)) + key) + varint(len(value)) + value
    body += varint(headers)
    return varint(len(body)) + body


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def batch(records, count, producer=-1, epoch=-1, sequence=-1, attributes=0, checksum=None):
    rest = struct.pack(">hiqqqhii", attributes, count - 1, 1700000000000, 1700000000000, producer, epoch, sequence, count) + records
    return struct.pack(">qiibI", 0, len(rest) + 9, -1, 2, crc32c(rest) if checksum is None else checksum) + rest


def produce(raw, records, topic=COLLECTION, acks=-1, version=8):
    """A Produce request's answer, for one partition."""
    name = topic.encode()
    return raw.ask(0, version, struct.pack(f">hhiih{len(name)}siii", -1, acks, 1000, 1, len(name), name, 1, 0, len(records)) + records)


def error_of(answer, topic=COLLECTION):
    """(error, offset) of the one partition."""
    return struct.unpack_from(">hq", answer, 4 + 2 + len(topic) + 4 + 4)
