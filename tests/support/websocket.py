"""A WebSocket client (RFC 6455) on asyncio, small enough that a thousand of them run in one process.

    feed = await WebSocket.open("127.0.0.1", port, "/api/live", Cookie="...", Origin="...")
    await feed.send({"subscribe": ["metrics"]})
    frame = await feed.receive()          # a dict; raises Closed with the code at the end
"""
import asyncio
import base64
import json
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(Exception):
    """The server did not upgrade: `status`, `headers`, `body`."""

    def __init__(self, status, headers, body):
        super().__init__(f"{status} {body[:200]}")
        self.status, self.headers, self.body = status, headers, body


class Closed(Exception):
    """The server ended it: `code` is None where it said none."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed with {code} {reason}")
        self.code, self.reason = code, reason


class WebSocket:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.bytes_in = 0

    @classmethod
    async def open(cls, host, port, path, within=10, receive_buffer=None, **headers):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(sock, (host, port)), within)
        reader, writer = await asyncio.open_connection(sock=sock, limit=4096 if receive_buffer else 65536)
        lines = {"Host": f"{host}:{port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), **headers}
        head = f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v is not None) + "\r\n"
        writer.write(head.encode())
        answer = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), within)).decode()
        first, *rest = answer.strip().split("\r\n")
        got = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in rest}
        status = int(first.split()[1])
        if status != 101:
            body = await asyncio.wait_for(reader.read(int(got.get("content-length", 0))), within)
            writer.close()
            raise Refused(status, got, body.decode(errors="replace"))
        return cls(reader, writer)

    async def send(self, message):
        await self.send_frame(TEXT, (message if isinstance(message, str) else json.dumps(message)).encode())

    async def send_frame(self, opcode, payload=b"", final=True):
        mask = os.urandom(4)
        size = len(payload)
        length = struct.pack(">B", 0x80 | size) if size < 126 else struct.pack(">BH", 0xFE, size) if size < 65536 else struct.pack(">BQ", 0xFF, size)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        self.writer.write(bytes([(0x80 if final else 0) | opcode]) + length + mask + masked)
        await self.writer.drain()

    async def receive_text(self):
        """The next text message; pings are answered on the way."""
        whole = b""
        while True:
            try:
                head, size = await self.reader.readexactly(2)
                size &= 0x7F
                if size == 126:
                    size, = struct.unpack(">H", await self.reader.readexactly(2))
                elif size == 127:
                    size, = struct.unpack(">Q", await self.reader.readexactly(8))
                payload = await self.reader.readexactly(size)
            except (asyncio.IncompleteReadError, ConnectionError):
                raise Closed(None) from None
            self.bytes_in += size
            opcode = head & 0x0F
            if opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None
                raise Closed(code, payload[2:].decode(errors="replace"))
            if opcode == PING:
                await self.send_frame(PONG, payload)
                continue
            if opcode == PONG:
                continue
            whole += payload
            if head & 0x80:
                return whole.decode()

    async def receive(self, within=10):
        return json.loads(await asyncio.wait_for(self.receive_text(), within))

    async def closed(self, within=10):
        """Reads on to the end and returns its code."""
        async def to_the_end():
            try:
                while True:
                    await self.receive_text()
            except Closed as end:
                return end.code
        return await asyncio.wait_for(to_the_end(), within)

    def close(self):
        self.writer.close()


def merge(target, patch):
    """RFC 7396, and {"append": [...], "keep": N} for lists; `...` stands for a member that is not there."""
    if not isinstance(patch, dict):
        return patch
    if isinstance(patch.get("append"), list) and (isinstance(target, list) or target is ...):
        longer = ([] if target is ... else target) + patch["append"]
        return longer[-patch.get("keep", 5000):] if patch.get("keep", 5000) else []
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key, ...), value)
    return result


class Watcher:
    """Holds what a client of topics knows, and that no number was missing."""

    def __init__(self):
        self.data, self.seq, self.errors, self.snapshots, self.deltas, self.gaps = {}, {}, {}, 0, 0, 0

    def take(self, frame):
        if frame["type"] == "error":
            self.errors[frame.get("topic")] = frame["problem"]
        elif frame["type"] == "snapshot":
            self.snapshots += 1
            self.data[frame["topic"]], self.seq[frame["topic"]] = frame["data"], frame["seq"]
        elif frame["type"] == "delta":
            topic = frame["topic"]
            self.deltas += 1
            self.gaps += frame["seq"] != self.seq[topic] + 1
            self.data[topic], self.seq[topic] = merge(self.data[topic], frame["data"]), frame["seq"]
        return frame
