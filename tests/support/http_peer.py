"""An HTTP server and a proxy, made of Python's own, that keep what they hear and misbehave when they are told to."""
import base64
import dataclasses
import gzip
import http.server
import inspect
import json
import select
import socket
import ssl
import threading
import time
import urllib.parse

from support.waiting import eventually, free_port


@dataclasses.dataclass
class Request:
    path: str
    headers: dict            # names in lower case
    raw: bytes               # as it came over the line
    connection: int          # the how manieth of the server
    at: float                # time.monotonic()
    status: int = 0          # as it was answered; 0: not

    @property
    def body(self):
        return gzip.decompress(self.raw) if self.headers.get("content-encoding") == "gzip" else self.raw

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def messages(self):
        """One or, of a batch, several."""
        said = self.json
        return said if isinstance(said, list) else [said]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass                                     # a client that was killed


class HttpPeer:
    """Listens on loopback. `behave` is called with each request, with the handler beside it, and gives a
    status, (status, headers) or (status, headers, body), or None when it has dealt with the connection itself.
    With `authority` it speaks TLS; `client_certificates=True` lets in only who has one."""

    def __init__(self, authority=None, client_certificates=False, port=None, behave=None):
        self.port = port or free_port()
        self.behave = behave or (lambda request: 204)
        self.requests = []
        self.connections = 0
        self._lock = threading.Lock()
        self._server = None
        self._open = set()
        self._context = None
        if authority:
            certificate, key = authority.issue(f"http-{self.port}")
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate, key)
            if client_certificates:
                self._context.verify_mode = ssl.CERT_REQUIRED
                self._context.load_verify_locations(authority.ca)

    def url(self, path="/v1"):
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}{path}"

    def start(self):
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = 60

            def setup(self):
                with peer._lock:
                    peer.connections += 1
                    self.number = peer.connections
                    peer._open.add(self.request)
                if peer._context:
                    self.request = peer._context.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self):
                super().finish()
                with peer._lock:
                    peer._open.discard(self.request)

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                request = Request(self.path, {k.lower(): v for k, v in self.headers.items()}, raw, self.number, time.monotonic())
                with peer._lock:
                    peer.requests.append(request)
                answer = peer.behave(request) if len(inspect.signature(peer.behave).parameters) == 1 else peer.behave(request, self)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = (answer, {}, b"") if isinstance(answer, int) else (*answer, {}, b"")[:3]
                request.status = status
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = _Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        """Goes: nobody listens, open connections are cut."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self._open.clear()
        self._server = None

    def heard(self, path=None, accepted=False):
        with self._lock:
            return [r for r in self.requests if path in (None, r.path) and (not accepted or 200 <= r.status < 300)]

    def messages(self, path=None, accepted=True):
        return [m for r in self.heard(path, accepted) for m in r.messages]

    def wait_for(self, count, path=None, within=15.0, accepted=False):
        eventually(lambda: len(self.heard(path, accepted)) >= count, within,
                   f"{count} requests{' accepted' if accepted else ''} (heard {len(self.heard(path))})")
        return self.heard(path, accepted)[:count]

    def said(self):
        return "\n".join([f"--- http peer {self.port}: {len(self.requests)} requests on {self.connections} connections",
                          *(f"  {r.path} {r.status} {r.body[:300]!r}" for r in self.heard()[-15:])])


# ---- ways to misbehave ---------------------------------------------------------------------------------

def cut_before_answer(_request, _handler):
    return None


def cut_in_the_answer(_request, handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-")
    handler.wfile.flush()


def stall(seconds):
    def behave(_request, _handler):
        time.sleep(seconds)
    return behave


def byte_by_byte(pause, text=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"):
    def behave(request, handler):
        for at in range(len(text)):
            try:
                handler.wfile.write(text[at:at + 1])
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(pause)
        request.status = 200
    return behave


class HttpProxy:
    """A forward proxy: absolute URLs are passed on, CONNECT is tunnelled. `users={name: password}` wants one."""

    def __init__(self, users=None):
        self.port = free_port()
        self.users = users or {}
        self.seen = []                           # first lines of requests
        self._listener = None

    def start(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _accept(self):
        while (listener := self._listener) is not None:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                self._converse(client)
            except OSError:
                pass

    def _converse(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := client.recv(65536)):
                return
            head += more
        head, _, rest = head.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.seen.append(lines[0])
        if self.users and not self._knows(lines):
            client.sendall(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n"
                           b"Connection: close\r\n\r\n")
            return
        method, target, version = lines[0].split(" ")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            server = socket.create_connection((host, int(port)), 5)
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            parts = urllib.parse.urlsplit(target)
            server = socket.create_connection((parts.hostname, parts.port or 80), 5)
            first = f"{method} {parts.path or '/'} {version}"
            kept = [line for line in lines[1:] if not line.lower().startswith("proxy-")]
            server.sendall("\r\n".join([first, *kept, "Via: 1.1 test", "Connection: close", "", ""]).encode())
        with server:
            server.sendall(rest)
            while True:
                ready, _, _ = select.select([client, server], [], [], 30)
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    (server if one is client else client).sendall(data)
                if not ready:
                    return

    def _knows(self, lines):
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() == "proxy-authorization":
                user, _, password = base64.b64decode(value.split()[-1]).decode().partition(":")
                return self.users.get(user) == password
        return False

    def said(self):
        return "\n".join([f"--- proxy {self.port}", *(f"  {line}" for line in self.seen[-10:])])
