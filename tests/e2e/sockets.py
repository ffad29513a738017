"""A websocket's client that sends what it is told to, right or wrong, a byte at a time if that is wanted (RFC 6455)."""

import json
import os
import socket
import struct

import pushing

TEXT, BINARY, CLOSE, PING, PONG, MORE = 1, 2, 8, 9, 10, 0
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True, length=None):
    """`length`: what the head says, if that is a lie."""
    size = len(payload) if length is None else length
    head = bytes([fin << 7 | reserved << 4 | opcode])
    bit = masked << 7
    head += (bytes([bit | size]) if size < 126 else bytes([bit | 126]) + struct.pack(">H", size) if size < 65536
             else bytes([bit | 127]) + struct.pack(">Q", size))
    if not masked:
        return head + payload
    mask = os.urandom(4)
    long = int.from_bytes((mask * (len(payload) // 4 + 1))[:len(payload)], "big") ^ int.from_bytes(payload, "big")
    return head + mask + long.to_bytes(len(payload), "big")


def text(payload, **more):
    return frame(TEXT, payload.encode() if isinstance(payload, str) else payload, **more)


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


class Ended(Exception):
    """The connection is over. `code`: of the close frame that was received, None without any."""

    def __init__(self, code, reason):
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class Socket:
    def __init__(self, running, path=pushing.PATH, timeout=60, expect=101, stream=None, version="1.1", **headers):
        self.peer = stream or socket.create_connection(pushing.address_of(running), timeout=timeout)
        self.peer.settimeout(timeout)
        self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) if not stream else None
        self.buffer = b""
        asked = {"Host": "x", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": KEY, **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines = [f"GET {path} HTTP/{version}", *(f"{name}: {value}" for name, value in asked.items() if value is not None), "", ""]
        self.peer.sendall("\r\n".join(lines).encode())
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        assert self.status == expect, (head, self.buffer)
        if self.status == 101:
            assert self.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        else:
            length = int(self.headers.get("content-length", 0))
            while len(self.buffer) < length:
                self._more()

    def _more(self):
        chunk = self.peer.recv(1 << 16)
        if not chunk:
            raise Ended(None, "")
        self.buffer += chunk

    def _take(self, size):
        while len(self.buffer) < size:
            self._more()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def send(self, *frames, chop=0):
        data = b"".join(frames)
        for at in range(0, len(data), chop or len(data) or 1):
            self.peer.sendall(data[at:at + (chop or len(data))])
        return self

    def frame(self):
        """(opcode, payload) of the next; a server's are whole and not masked."""
        first, second = self._take(2)
        assert first & 0x80 and not first & 0x70 and not second & 0x80, (first, second)
        size = second
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
        return first & 0x0F, self._take(size)

    def receive(self):
        """The next text, parsed. Pongs and pings are kept. Ended if there is none."""
        while True:
            opcode, payload = self.frame()
            if opcode == TEXT:
                return json.loads(payload)
            if opcode == CLOSE:
                raise Ended(struct.unpack(">H", payload[:2])[0] if payload else 1005, payload[2:].decode())
            self.controls.append((opcode, payload))

    @property
    def controls(self):
        return self.__dict__.setdefault("_controls", [])

    def processed(self, number):
        """Wait until so many are."""
        while True:
            told = self.receive()
            assert set(told) == {"Processed"}, told
            if told["Processed"] == number:
                return
            assert told["Processed"] < number

    def end(self):
        """(code, reason) of the close, and what was said before; the connection is over then."""
        said = []
        try:
            while True:
                said.append(self.receive())
        except Ended as ended:
            self.peer.shutdown(socket.SHUT_WR)
            while self.peer.recv(1 << 16):
                pass
            self.peer.close()
            return ended.code, said

    def drop(self):
        self.peer.close()
