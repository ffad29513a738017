"""The sections of the Autobahn test suite that apply, by its numbers (the suite itself needs a Python that is gone). Our
server gives no echo: that a message came whole shows by its acknowledgement, and what it held by the collection."""

import json
import os
import struct

import pytest

import pushing
from conftest import Firth, binary
from sockets import BINARY, CLOSE, MORE, PING, PONG, Socket, TEXT, close, frame, text


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all of them, of the build that looks at every access to memory."""
    folder = tmp_path_factory.mktemp("autobahn")
    firth = Firth(binary("FIRTH_DEV_BIN", "build-dev/firth"), folder / "data", folder)
    running, _ = pushing.run(firth, pushing.catalog(folder / "flow.json"))
    running.firth = firth
    yield running
    process = pushing.listener_of(running)
    firth.stop_all()
    assert process and not [line for line in running.err if "Sanitizer" in line], running.err


def document(size):
    """JSON of that many bytes; of less than the least, blanks."""
    least = len('{"id":""}')
    return b'{"id":"' + b"*" * (size - least) + b'"}' if size >= least else b" " * size


def fragments(payload, size, opcode=TEXT):
    """Frames of `size` bytes each, and the last."""
    cuts = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
    return [frame(opcode if number == 0 else MORE, cut, fin=number == len(cuts) - 1) for number, cut in enumerate(cuts)]


def passes(server, *frames, processed=1, chop=0, controls=()):
    """So many messages are taken, and the connection closes as it is asked to."""
    peer = Socket(server)
    peer.send(*frames, chop=chop)
    if processed:
        peer.processed(processed)
    peer.send(close(1000))
    assert peer.end() == (1000, [])
    assert peer.controls == list(controls)


def fails(server, *frames, code=1002, processed=0, chop=0, controls=()):
    """It is ended with that code, after so many messages were taken and acknowledged."""
    peer = Socket(server)
    peer.send(*frames, chop=chop)
    ended, said = peer.end()
    assert ended == code
    assert [each["Processed"] for each in said][-1:] == ([processed] if processed else []), said
    assert peer.controls == list(controls)


# --- 1: framing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number, size, chop", [
    (1, 0, 0), (2, 125, 0), (3, 126, 0), (4, 127, 0), (5, 128, 0), (6, 65535, 0), (7, 65536, 0), (8, 65536, 997)])
def test_1_1_text(server, number, size, chop):
    passes(server, text(document(size)), chop=chop)


@pytest.mark.parametrize("number, size", [(1, 0), (2, 125), (7, 65536)])
def test_1_2_binary(server, number, size):
    """Documents are text: 1003, unsupported data."""
    fails(server, frame(BINARY, b"\xfe" * size), code=1003)


# --- 2: pings and pongs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number, payload, chop", [
    (1, b"", 0), (2, b"Hello, world!", 0), (3, bytes(range(256))[::2][:125], 0), (4, b"\xfe" * 125, 0), (6, b"\xfe" * 125, 1)])
def test_2_pings(server, number, payload, chop):
    passes(server, frame(PING, payload), text(document(20)), chop=chop, controls=[(PONG, payload)])


def test_2_5_a_ping_that_is_too_long(server):
    fails(server, frame(PING, b"\xfe" * 126))


@pytest.mark.parametrize("payload", [b"", b"unsolicited pong payload"])
def test_2_7_and_8_pongs_that_nobody_asked_for(server, payload):
    passes(server, frame(PONG, payload), text(document(20)))


def test_2_9_a_pong_and_then_a_ping(server):
    passes(server, frame(PONG, b"unsolicited"), frame(PING, b"ping"), text(document(20)), controls=[(PONG, b"ping")])


@pytest.mark.parametrize("number, chop", [(10, 0), (11, 1)])
def test_2_ten_pings(server, number, chop):
    payloads = [f"payload-{each}".encode() for each in range(10)]
    passes(server, *(frame(PING, each) for each in payloads), text(document(20)), chop=chop,
           controls=[(PONG, each) for each in payloads])


# --- 3: reserved bits, 4: opcodes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number, before, wrong, chop", [
    (1, [], text(document(20), reserved=1), 0),
    (2, [text(document(20))], text(document(20), reserved=2), 0),
    (3, [text(document(20))], text(document(20), reserved=3), 0),
    (4, [text(document(20))], text(document(20), reserved=4), 1),
    (5, [], frame(BINARY, b"\xff" * 8, reserved=5), 0),
    (6, [], frame(PING, b"Hello", reserved=6), 0),
    (7, [], frame(CLOSE, reserved=7), 0)])
def test_3_reserved_bits(server, number, before, wrong, chop):
    fails(server, *before, wrong, frame(PING), processed=len(before), chop=chop)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("payload", [b"", b"reserved opcode payload"])
def test_4_opcodes_that_are_none(server, opcode, payload):
    fails(server, text(document(20)), frame(opcode, payload), frame(PING), processed=1)


# --- 5: fragmentation -----------------------------------------------------------------------------------------------------

HALVES = (document(50)[:20], document(50)[20:])


@pytest.mark.parametrize("number, opcode", [(1, PING), (2, PONG)])
def test_5_control_frames_are_not_fragmented(server, number, opcode):
    fails(server, frame(opcode, b"fragment1", fin=False), frame(MORE, b"fragment2"))


@pytest.mark.parametrize("chop", [0, 1, 7])
def test_5_3_to_5_text_in_two(server, chop):
    passes(server, frame(TEXT, HALVES[0], fin=False), frame(MORE, HALVES[1]), chop=chop)


@pytest.mark.parametrize("chop", [0, 1, 7])
def test_5_6_to_8_a_ping_between(server, chop):
    passes(server, frame(TEXT, HALVES[0], fin=False), frame(PING, b"ping"), frame(MORE, HALVES[1]), chop=chop,
           controls=[(PONG, b"ping")])


@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("chop", [0, 1])
def test_5_9_to_14_a_continuation_of_nothing(server, fin, chop):
    fails(server, frame(MORE, b"non-continuation payload", fin=fin), text(document(20)), chop=chop)


def test_5_15_a_continuation_after_the_end(server):
    fails(server, frame(TEXT, HALVES[0], fin=False), frame(MORE, HALVES[1]), frame(MORE, b"fragment5", fin=False),
          text(document(20)), processed=1)


@pytest.mark.parametrize("fin", [False, True])
def test_5_16_and_17_continuations_and_texts_in_turn(server, fin):
    fails(server, frame(MORE, HALVES[0], fin=fin), frame(TEXT, HALVES[0], fin=False), frame(MORE, HALVES[1]))


def test_5_18_a_text_within_a_text(server):
    fails(server, frame(TEXT, HALVES[0], fin=False), frame(TEXT, HALVES[1]))


@pytest.mark.parametrize("number, chop", [(19, 0), (20, 1)])
def test_5_many_fragments_and_pings(server, number, chop):
    parts = [document(50)[at:at + 10] for at in range(0, 50, 10)]
    passes(server, frame(TEXT, parts[0], fin=False), frame(MORE, parts[1], fin=False), frame(PING, b"pongme 1!"),
           frame(MORE, parts[2], fin=False), frame(MORE, parts[3], fin=False), frame(PING, b"pongme 2!"), frame(MORE, parts[4]),
           chop=chop, controls=[(PONG, b"pongme 1!"), (PONG, b"pongme 2!")])


# --- 6: UTF-8 -------------------------------------------------------------------------------------------------------------

VALID = {
    "6.2": "Hello-µ@ßöäüàá-UTF-8!!".encode(), "6.5": "κόσμε".encode(),
    "6.7": b"\x7f\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf", "6.9": b"\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80",
    "6.11": b"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\xf4\x8f\xbf\xbf",
    "6.22": b"".join(chr(plane << 16 | low).encode() for plane in range(17) for low in (0xFFFE, 0xFFFF)),
    "6.23": b"\xef\xbf\xb9\xef\xbf\xba\xef\xbf\xbb\xef\xbf\xbc\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf",
}
INVALID = {
    "6.3.1": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64",
    "6.6.1": b"\xce", "6.6.4": b"\xce\xba\xe1\xbd", "6.8.1": b"\xf8\x88\x80\x80\x80", "6.8.2": b"\xfc\x84\x80\x80\x80\x80",
    "6.10.1": b"\xf7\xbf\xbf\xbf", "6.10.2": b"\xfb\xbf\xbf\xbf\xbf", "6.10.3": b"\xfd\xbf\xbf\xbf\xbf\xbf",
    "6.11.5": b"\xf4\x90\x80\x80", "6.12.1": b"\x80", "6.12.2": b"\xbf", "6.12.8": bytes(range(0x80, 0xC0)),
    "6.13.1": b" ".join(bytes([first]) for first in range(0xC0, 0xE0)), "6.13.5": b"\xfc ", "6.14.1": b"\xc0", "6.14.2": b"\xe0\x80",
    "6.14.4": b"\xf8\x80\x80\x80", "6.14.6": b"\xdf", "6.15.1": b"\xc0\xe0\x80\xf0\x80\x80", "6.16.1": b"\xfe", "6.16.2": b"\xff",
    "6.17.1": b"\xc0\xaf", "6.17.2": b"\xe0\x80\xaf", "6.17.3": b"\xf0\x80\x80\xaf", "6.17.5": b"\xfc\x80\x80\x80\x80\xaf",
    "6.18.1": b"\xc1\xbf", "6.18.2": b"\xe0\x9f\xbf", "6.18.3": b"\xf0\x8f\xbf\xbf", "6.19.1": b"\xc0\x80",
    "6.20.1": b"\xed\xa0\x80", "6.20.7": b"\xed\xbf\xbf", "6.21.1": b"\xed\xa0\x80\xed\xb0\x80", "6.21.8": b"\xed\xaf\xbf\xed\xbf\xbf",
}


@pytest.mark.parametrize("number", VALID)
def test_6_valid(server, number):
    """Whole, in fragments of a byte, and in pieces of one; and it is what was sent."""
    payload = json.dumps({"id": number}).encode()[:-1] + b',"text":"' + VALID[number].replace(b"\x7f", b"DEL") + b'"}'
    passes(server, text(payload))
    passes(server, *fragments(payload, 1), text(payload), chop=1, processed=2)
    found = [each["text"] for each in pushing.documents(server.firth) if each["id"] == number]
    assert found == [VALID[number].replace(b"\x7f", b"DEL").decode()] * 3


@pytest.mark.parametrize("number", INVALID)
def test_6_invalid(server, number):
    payload = b'{"id":"' + INVALID[number] + b'"}'
    for frames in ([text(payload)], fragments(payload, 1), [frame(TEXT, payload, fin=False)]):
        fails(server, text(document(20)), *frames, code=1007, processed=1)


def test_6_4_is_found_before_the_end(server):
    """What can be no text any more is not waited for."""
    peer = Socket(server)
    peer.send(frame(TEXT, INVALID["6.3.1"], length=1000)[:30])
    assert peer.end()[0] == 1007


@pytest.mark.parametrize("payload", [b"", b"", b"middle frame payload"])
def test_6_1_frames_without_anything(server, payload):
    passes(server, frame(TEXT, b"", fin=False), frame(MORE, document(20) if payload else b"", fin=False), frame(MORE, b""))


# --- 7: closing -----------------------------------------------------------------------------------------------------------


def test_7_1_what_comes_after_a_close(server):
    large = document(256 << 10)
    for after in ([], [close(1000)], [frame(PING, b"ping")], [text(document(20))], [frame(MORE, b"fragment2")]):
        peer = Socket(server)
        peer.send(text(large), close(1000), *after)
        assert peer.end() == (1000, [{"Processed": 1}]) and not peer.controls


def test_7_1_5_a_close_within_a_message(server):
    peer = Socket(server)
    peer.send(frame(TEXT, HALVES[0], fin=False), close(1000), frame(MORE, HALVES[1]))
    assert peer.end() == (1000, [])


@pytest.mark.parametrize("number, payload, code", [
    ("7.3.1", b"", 1005), ("7.3.2", b"a", 1002), ("7.3.3", struct.pack(">H", 1000), 1000),
    ("7.3.4", struct.pack(">H", 1000) + b"Hello World!", 1000), ("7.3.5", struct.pack(">H", 1000) + b"*" * 123, 1000),
    ("7.3.6", struct.pack(">H", 1000) + b"*" * 124, 1002), ("7.5.1", struct.pack(">H", 1000) + INVALID["6.3.1"], 1007)])
def test_7_payloads(server, number, payload, code):
    fails(server, frame(CLOSE, payload), code=code)
    fails(server, text(document(20)), frame(CLOSE, payload), code=code, processed=1)
    fails(server, frame(CLOSE, payload), code=code, chop=1)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
def test_7_7_codes(server, code):
    fails(server, close(code), code=code)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535])
def test_7_9_and_13_codes_that_are_none(server, code):
    fails(server, close(code), code=1002)


# --- 9: limits, 10: the rest -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [64 << 10, 16 << 20])
def test_9_1_large_messages(server, size):
    passes(server, text(document(size)))


def test_9_one_byte_too_many(server):
    fails(server, text(document((16 << 20) + 1)), code=1009)
    fails(server, *fragments(document((16 << 20) + 1), 1 << 20), code=1009)


@pytest.mark.parametrize("size", [64, 64 << 10, 4 << 20])
def test_9_3_fragments(server, size):
    passes(server, *fragments(document(4 << 20), size))


@pytest.mark.parametrize("chop", [64, 1 << 10])
def test_9_5_pieces(server, chop):
    passes(server, text(document(1 << 20)), chop=chop)


@pytest.mark.parametrize("size", [0, 256, 4 << 10])
def test_9_7_a_thousand(server, size):
    passes(server, *(text(document(size)) for _ in range(1000)), processed=1000)


def test_10_1_1_fragments_of_1300(server):
    passes(server, *fragments(document(65536), 1300))


def test_frames_that_are_not_masked(server):
    """RFC 6455 §5.1, which the suite cannot send."""
    fails(server, text(document(20)), text(document(20), masked=False), processed=1)


def test_random_bytes(server):
    """Whatever comes, the connection ends, and the server does not."""
    for _ in range(50):
        peer = Socket(server)
        try:
            peer.send(os.urandom(2000), close(1000))
            peer.end()
        except OSError:
            pass
    passes(server, text(document(20)))
