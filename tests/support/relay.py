"""A TCP relay that stands between the program and a server, and breaks when it is told to."""
import selectors
import socket
import threading

from support.waiting import free_port


class TcpRelay:
    """Listens on `port` and passes everything on to `upstream`. Faults are asked for by name:

    cut()          closes every connection now
    refuse()       cuts, and closes the listening port
    accept()       opens it again
    mute_answers   while true, what the server says is thrown away: requests arrive, acknowledgements do not
    hold           while true, nothing is read from either side
    """

    def __init__(self, upstream, port=None):
        self.upstream = upstream if isinstance(upstream, tuple) else ("127.0.0.1", upstream)
        self.port = port or free_port()
        self.mute_answers = self.hold = False
        self.accepted = 0
        self.bytes_up = self.bytes_down = 0
        self._do = []
        self._lock = threading.Lock()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listener = None
        self._pairs = {}          # each socket and the one it is tied to
        self._servers = set()
        self._ended = False

    def start(self):
        self._listener = self._listen()
        self._thread.start()
        return self

    def stop(self):
        if self._thread.is_alive():
            self._order("end")
            self._thread.join(5)

    def cut(self):
        self._order("cut")

    def refuse(self):
        self._order("refuse")

    def accept(self):
        self._order("accept")

    def connections(self):
        return len(self._pairs) // 2

    def _order(self, what):
        done = threading.Event()
        with self._lock:
            self._do.append((what, done))
        self._wake.send(b"x")
        done.wait(5)

    def _listen(self):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", self.port))
        s.listen(64)
        return s

    def _drop(self, s):
        other = self._pairs.pop(s, None)
        self._pairs.pop(other, None)
        self._servers -= {s, other}
        for x in (s, other):
            if x is not None:
                x.close()

    def _run(self):
        while not self._ended:
            with selectors.DefaultSelector() as watched:
                watched.register(self._woken, selectors.EVENT_READ)
                if self._listener is not None:
                    watched.register(self._listener, selectors.EVENT_READ)
                for s in [] if self.hold else list(self._pairs):
                    watched.register(s, selectors.EVENT_READ)
                ready = [key.fileobj for key, _ in watched.select(0.05)]
            for s in ready:
                if s is self._woken:
                    self._woken.recv(1)
                    self._obey()
                elif s is self._listener:
                    self._take()
                elif s in self._pairs:
                    self._pass_on(s)

    def _obey(self):
        with self._lock:
            what, done = self._do.pop(0)
        if what in ("refuse", "end") and self._listener is not None:
            self._listener.close()
            self._listener = None
        if what in ("cut", "refuse", "end"):
            for s in list(self._pairs):
                self._drop(s)
        if what == "accept" and self._listener is None:
            self._listener = self._listen()
        self._ended = what == "end"
        done.set()

    def _take(self):
        client, _ = self._listener.accept()
        self.accepted += 1
        try:
            server = socket.create_connection(self.upstream, 2)
        except OSError:
            client.close()
            return
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs[client], self._pairs[server] = server, client
        self._servers.add(server)

    def _pass_on(self, s):
        try:
            data = s.recv(65536)
            if not data:
                raise OSError
            if s in self._servers:
                self.bytes_down += len(data)
                if self.mute_answers:
                    return
            else:
                self.bytes_up += len(data)
            self._pairs[s].sendall(data)
        except OSError:
            self._drop(s)
