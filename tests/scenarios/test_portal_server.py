"""The portal's HTTP server against peers that are slow, too big, hostile or many. /healthz must go on answering."""
import contextlib
import json
import os
import resource
import socket
import time

from support import Lightship, TestCase, eventually, free_port

SECRET = "the-secret-that-must-not-leave-the-data-directory"
HEADER_LIMIT = 16 * 1024


def parse(answer):
    """(status, headers, body) of the first answer in the bytes, and the bytes after it."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while True:
            size, _, rest = rest.partition(b"\r\n")
            count = int(size or b"0", 16)
            if not count:
                return int(first.split()[1]), headers, body, rest.removeprefix(b"\r\n")
            body, rest = body + rest[:count], rest[count + 2:]
    size = int(headers.get("content-length", 0))
    return int(first.split()[1]), headers, rest[:size], rest[size:]


class PortalServer(TestCase):
    def setUp(self):
        super().setUp()
        # Without the limit of requests a second, which would end most of these early.
        self.gateway = self.start(Lightship(portal={"listen": f"127.0.0.1:{free_port()}", "limits": {"guests": 0}}))
        (self.gateway.data / "secret.txt").write_text(SECRET)
        (self.gateway.config / "secrets.yaml").write_text(f"token: {SECRET}\n")
        self.address = self.gateway.portal

    def connect(self, timeout=5):
        peer = socket.create_connection(self.address, timeout)
        self.addCleanup(peer.close)
        return peer

    @staticmethod
    def until_end(peer, within=10):
        """Everything the server says until it closes; None where it does not."""
        said, end = b"", time.monotonic() + within
        while True:
            peer.settimeout(max(0.01, end - time.monotonic()))
            try:
                more = peer.recv(65536)
            except TimeoutError:
                return None
            except ConnectionError:
                return said
            if not more:
                return said
            said += more

    def one(self, raw, within=10):
        """The answer to raw bytes, after which the server or we close."""
        peer = self.connect()
        with contextlib.suppress(ConnectionError):
            peer.sendall(raw)
        said = b""
        peer.settimeout(within)
        with contextlib.suppress(ConnectionError, TimeoutError):
            while b"\r\n\r\n" not in said or len(parse(said)[2]) < int(parse(said)[1].get("content-length", 0)):
                more = peer.recv(65536)
                if not more:
                    break
                said += more
        self.assertIn(b"\r\n\r\n", said, f"no answer to {raw[:80]!r}")
        return parse(said)

    def get(self, target, *headers, method="GET"):
        if isinstance(target, str):
            target = target.encode("latin-1")
        extra = "".join(f"{line}\r\n" for line in headers).encode()
        return self.one(method.encode() + b" " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + extra + b"\r\n")

    def assert_healthy(self, within=1.0):
        began = time.monotonic()
        status, _, body, _ = self.get("/healthz")
        passed = time.monotonic() - began
        self.assertEqual((status, json.loads(body)["status"]), (200, "ok"), body)
        self.assertLess(passed, within)

    # ---- slow -------------------------------------------------------------------------------------

    def test_a_header_that_never_ends_is_cut(self):
        peer = self.connect()
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        began = time.monotonic()
        self.assertIsNotNone(self.until_end(peer, within=40), "still open after 40 s")
        self.assertLess(time.monotonic() - began, 35)

    def test_a_byte_a_second_does_not_hold_a_connection(self):
        header, body = self.connect(), self.connect()
        body.sendall(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
        began, open_ones = time.monotonic(), {header, body}
        while open_ones and time.monotonic() - began < 45:
            for peer in list(open_ones):
                try:
                    peer.sendall(b"G")
                    peer.settimeout(0.01)
                    if not peer.recv(4096):
                        open_ones.discard(peer)
                except TimeoutError:
                    pass
                except ConnectionError:
                    open_ones.discard(peer)
            self.assert_healthy()
            time.sleep(1)
        self.assertFalse(open_ones, "cut neither in 45 s")

    def test_who_does_not_read_holds_nobody_up(self):
        """Pipelines requests and never reads an answer: the server stops reading, and in the end cuts."""
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(1)
        peer.connect(self.address)
        self.addCleanup(peer.close)
        cut, began = False, time.monotonic()
        request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50
        while time.monotonic() - began < 45 and not cut:
            try:
                peer.sendall(request)
            except TimeoutError:
                pass
            except ConnectionError:
                cut = True
            self.assert_healthy()
        self.assertTrue(cut, "not cut within 45 s")

    # ---- too big ----------------------------------------------------------------------------------

    def test_a_header_over_16_kib_is_refused_with_431(self):
        status, headers, body, _ = self.get("/healthz", "X-Long: " + "x" * (HEADER_LIMIT + 1024))
        self.assertEqual((status, headers["content-type"]), (431, "application/problem+json"))
        self.assertEqual(json.loads(body)["status"], 431)
        self.assertEqual(self.get("/healthz", *(f"X-{i}: {'y' * 20}" for i in range(1000)))[0], 431)
        self.assertEqual(self.get("/healthz", "X-Long: " + "x" * (HEADER_LIMIT // 2))[0], 200)

    def test_an_address_that_is_too_long_is_refused_with_414(self):
        self.assertEqual(self.get("/" + "a" * 9000)[0], 414)
        self.assertEqual(self.get("/healthz?" + "a" * 9000)[0], 414)

    def test_a_body_over_the_limit_is_refused_with_413(self):
        announced = self.one(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        self.assertEqual(announced[0], 413)
        sent = self.one(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n" + b"x" * 1048576)
        self.assertEqual(sent[0], 413)
        chunks = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        status, *_ = self.one(b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks * 64 + b"0\r\n\r\n")
        self.assertEqual(status, 413)
        self.assert_healthy()

    def test_a_stranger_hears_which_limit_is_his_however_he_sends_the_body(self):
        announced = self.one(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n")
        chunks = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
        chunked = self.one(b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks * 3 + b"0\r\n\r\n")
        for status, _, body, _ in (announced, chunked):
            self.assertEqual(status, 413)
            self.assertEqual(json.loads(body)["detail"], "The body is larger than 8192 bytes.")

    def test_chunks_that_lie_are_refused(self):
        for chunk in (b"ffffffffffffffff\r\n", b"fffffffffffffffff1\r\n", b"-1\r\n", b"zz\r\n", b"1" + b"0" * 5000 + b"\r\n"):
            with self.subTest(chunk=chunk[:20]):
                status, *_ = self.one(b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
                self.assertIn(status, (400, 413, 431))
        endless = self.connect()
        with contextlib.suppress(ConnectionError):
            endless.sendall(b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;" + b"e" * 20_000_000)
        self.assertIsNotNone(self.until_end(endless, 5), "an extension of 20 MB is held to its end")
        self.assert_healthy()

    def test_a_thousand_tiny_chunks_are_a_body_like_any_other(self):
        body = b"".join(b"1\r\n%c\r\n" % c for c in json.dumps({"username": "nobody", "password": "x" * 900}).encode())
        status, *_ = self.one(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n")
        self.assertEqual(status, 401)

    # ---- pipelines and smuggling --------------------------------------------------------------------

    def test_requests_in_a_pipeline_are_answered_in_their_order(self):
        peer = self.connect()
        peer.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"/healthz", b"/api/nothing", b"/readyz"))
                     + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        rest, found = self.until_end(peer), []
        while rest:
            status, _, _, rest = parse(rest)
            found.append(status)
        self.assertEqual(found, [200, 401, 200, 200])

    def test_what_two_servers_would_read_differently_is_refused(self):
        inner = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        shapes = {
            "length and chunks": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
            "chunks and length": b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
            "two lengths": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n" + inner,
            "a list of lengths": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 35\r\n\r\n" + inner,
            "a negative length": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n" + inner,
            "a length with a sign": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: +35\r\n\r\n" + inner,
            "a hex length": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0x23\r\n\r\n" + inner,
            "an unknown coding": b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
            "chunked not last": b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner,
            "two codings": b"POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner,
            "a space before the colon": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length : 35\r\n\r\n" + inner,
            "a folded line": b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 35\r\nX: a\r\n b\r\nTransfer-Encoding:\r\n chunked\r\n\r\n" + inner,
            "bare line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n" + inner,
            "two hosts": b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + inner,
            "no host": b"GET /healthz HTTP/1.1\r\n\r\n" + inner,
            "a NUL in a value": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n" + inner,
            "no version": b"GET /healthz\r\n\r\n" + inner,
            "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        }
        for what, raw in shapes.items():
            with self.subTest(what):
                peer = self.connect()
                peer.sendall(raw)
                said = self.until_end(peer, 5)
                self.assertIsNotNone(said, "the connection stays open")
                statuses = []
                while said and b"\r\n\r\n" in said:
                    status, _, _, said = parse(said)
                    statuses.append(status)
                self.assertEqual(len(statuses), 1, statuses)
                self.assertGreaterEqual(statuses[0], 400)
        self.assert_healthy()

    # ---- paths ------------------------------------------------------------------------------------

    def escapes(self):
        depth = 12
        up = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..%252f", "..\\", "..%5c", "%2e%2e%5c", "....//", "..;/", "%c0%ae%c0%ae/",
              "..%c0%af", "%u002e%u002e/", ".%00./", "../%00", "..%00/", "/..//")
        targets = ("etc/passwd", str(self.gateway.data / "secret.txt").lstrip("/"), "secret.txt", "config/secrets.yaml")
        for start in ("/", "/assets/", "/assets/x/", "/api/", "/api/device/", "/login/", "/devices/", "//", "/assets//", "/./"):
            for step in up:
                for target in targets[:2]:
                    yield start + step * depth + target
            for target in targets:
                yield start + "../" + target
                yield start + "%2e%2e/" + target
                yield start + target
                yield start + "/" + target
        data = str(self.gateway.data)
        yield from (data + "/secret.txt", "/" + data + "/secret.txt", "/%2f" + data.replace("/", "%2f") + "%2fsecret.txt", "/assets/" + data + "/secret.txt",
                    "/assets%2f..%2f..%2fsecret.txt", "/assets/..%2f..%2f" + data.replace("/", "%2f") + "%2fsecret.txt", "/proc/self/environ",
                    "/assets/%2fproc%2fself%2fenviron", "/api/%2e%2e/%2e%2e/proc/self/environ", "/?/../../etc/passwd", "/index.html%00.js", "/assets/%00",
                    "/assets/.", "/assets/..", "/assets/%", "/assets/%2", "/assets/%zz", "/api/%", "/%", "/\x7f", "/\x80\xff", "/api/device/%2e%2e%2f%2e%2e%2fsecret.txt/registers")

    def assert_nothing_leaks(self, *headers):
        peer, asked = None, 0
        for target in self.escapes():
            if peer is None:
                peer = self.connect()
            line = b"GET " + target.encode("latin-1") + b" HTTP/1.1\r\nHost: x\r\n" + "".join(f"{h}\r\n" for h in headers).encode() + b"\r\n"
            peer.sendall(line)
            said = b""
            while b"\r\n\r\n" not in said or len(parse(said)[2]) < int(parse(said)[1].get("content-length", 0)):
                more = peer.recv(65536)
                if not more:
                    break
                said += more
            status, got, body, _ = parse(said)
            asked += 1
            where = f"{target!r} -> {status} {body[:120]!r}"
            self.assertNotIn(b"root:", body, where)
            self.assertNotIn(SECRET.encode(), body, where)
            self.assertNotIn(b"PATH=", body, where)
            self.assertIn(status, (200, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 414, 429), where)
            if got.get("connection") == "close":
                peer.close()
                peer = None
        self.assertGreater(asked, 300)

    def test_no_path_leads_out_of_the_pages_without_a_session(self):
        self.assert_nothing_leaks()
        self.assert_healthy()

    def test_no_path_leads_out_of_the_pages_with_one(self):
        self.assert_nothing_leaks(f"Cookie: {self.gateway.admin().cookie}")
        self.assert_healthy()

    def test_without_a_session_the_api_says_401_whatever_the_path(self):
        for target in ("/api", "/api/", "/api/status", "/api/nothing", "/api/device-health", "/api/device/a%2Fb/registers", "/api/../api/status", "/api//status",
                       "/api/%73tatus", "/api/status/", "/api/users?x=/healthz", "/api/live", "/api/config/a/b"):
            with self.subTest(target):
                status, headers, body, _ = self.get(target)
                self.assertEqual((status, headers["content-type"]), (401, "application/problem+json"))
                self.assertNotIn("set-cookie", headers)
                self.assertEqual(set(json.loads(body)), {"type", "title", "status", "detail"})

    # ---- methods and headers ------------------------------------------------------------------------

    def test_methods_that_are_not_spoken_do_nothing(self):
        for method in ("TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "FOO", "get", "G" * 300):
            with self.subTest(method[:10]):
                status, headers, body, _ = self.get("/healthz", "X-Echo: me", method=method)
                self.assertIn(status, (400, 401, 405, 501))
                self.assertNotIn(b"X-Echo", body)
        status, *_ = self.get("/healthz", "X-HTTP-Method-Override: DELETE")
        self.assertEqual(status, 200)

    def test_an_address_in_absolute_form_is_not_a_proxy(self):
        for target in ("http://127.0.0.1:1/healthz", "http://example.com/", "example.com:443", "*"):
            with self.subTest(target):
                self.assertIn(self.get(target)[0], (400, 404, 405, 501))

    def test_head_says_what_get_would_and_no_body(self):
        for path in ("/healthz", "/api/status", "/login", "/nothing"):
            with self.subTest(path):
                got = self.get(path)
                head = self.get(path, method="HEAD")
                self.assertEqual(head[0], got[0])
                self.assertEqual(head[2] + head[3], b"")
                self.assertEqual(head[1].get("content-type"), got[1].get("content-type"))
                self.assertEqual(head[1].get("content-length"), got[1].get("content-length"))

    def test_a_page_that_is_known_is_not_sent_again(self):
        status, headers, body, _ = self.get("/login")
        self.assertEqual(status, 200)
        again = self.get("/login", f"If-None-Match: {headers['etag']}")
        self.assertEqual((again[0], again[2] + again[3], again[1]["etag"]), (304, b"", headers["etag"]))
        self.assertEqual(self.get("/login", f'If-None-Match: "other", W/{headers["etag"]}')[0], 304)
        self.assertEqual(self.get("/login", 'If-None-Match: "other"')[0], 200)

    def test_every_answer_says_how_it_may_be_used(self):
        for path in ("/healthz", "/api/status", "/login", "/assets/nothing.js"):
            with self.subTest(path):
                headers = self.get(path)[1]
                self.assertEqual(headers["x-content-type-options"], "nosniff")
                self.assertEqual(headers["referrer-policy"], "no-referrer")
                self.assertIn("frame-ancestors 'none'", headers["content-security-policy"])
                self.assertNotIn("access-control-allow-origin", headers)

    def test_nothing_of_a_request_can_begin_a_header_of_the_answer(self):
        for target in ("/healthz%0d%0aSet-Cookie:%20a=b", "/api/x%0d%0aSet-Cookie:%20a=b", "/login?next=%0d%0aSet-Cookie:%20a=b", "/%0d%0aSet-Cookie:%20a=b"):
            headers = self.get(target)[1]
            self.assertNotIn("set-cookie", headers, target)

    # ---- many -------------------------------------------------------------------------------------

    def test_three_thousand_idle_connections_do_not_stop_it(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        if min(hard, 8192) < 3300:
            self.skipTest(f"only {hard} descriptors may be open here")
        peers = []
        try:
            for i in range(3000):
                peer = socket.socket()
                peer.settimeout(5)
                peer.connect(self.address)
                peers.append(peer)
                if i % 300 == 299:
                    self.assert_healthy()
            for _ in range(10):
                self.assert_healthy()
                time.sleep(0.1)
        finally:
            for peer in peers:
                peer.close()
        eventually(lambda: self.get("/healthz")[0] == 200, 5, "/healthz")
        self.assertLess(len(os.listdir(f"/proc/{self.gateway.process.pid}/fd")), 700)

    def test_rubbish_is_refused_and_nothing_breaks(self):
        import random
        dice = random.Random(7)
        good = b"POST /api/login?x=1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        for _ in range(300):
            raw = bytearray(good)
            for _ in range(dice.randint(1, 8)):
                at = dice.randrange(len(raw))
                raw[at:at + dice.randint(0, 3)] = bytes(dice.randrange(256) for _ in range(dice.randint(0, 4)))
            peer = socket.create_connection(self.address, 5)
            with contextlib.suppress(OSError):
                peer.sendall(bytes(raw))
                peer.shutdown(socket.SHUT_WR)
                peer.settimeout(3)
                said = b""
                while more := peer.recv(65536):
                    said += more
                if said:
                    self.assertTrue(said.startswith(b"HTTP/1.1 "), said[:80])
                    self.assertFalse(said.startswith(b"HTTP/1.1 500"), bytes(raw))
            peer.close()
        self.assert_healthy()


class Limits(TestCase):
    def test_a_flood_from_an_address_leaves_its_health_checks_alone(self):
        gateway = self.start(Lightship(portal={"listen": f"127.0.0.1:{free_port()}", "limits": {"guests": 5}}))
        asker = gateway.visitor()
        statuses = [asker.get("/api/nothing").status for _ in range(100)]
        self.assertEqual(set(statuses), {401, 429})
        refused = asker.get("/login")
        self.assertEqual(refused.status, 429)
        self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
        for path in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual([asker.get(path).status for _ in range(5)], [200] * 5, path)
        # They have a limit as well, and it is theirs.
        self.assertIn(429, [asker.get("/healthz").status for _ in range(100)])


class Metrics(TestCase):
    def test_are_open_on_the_loopback_but_not_to_whom_a_proxy_on_it_speaks_for(self):
        gateway = self.start(Lightship())
        asker = gateway.visitor()
        self.assertEqual(asker.get("/metrics").status, 200)
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            with self.subTest(name):
                refused = asker.get("/metrics", **{name: "192.0.2.7"})
                self.assertEqual((refused.status, "lightship_" in refused.body), (401, False), refused)
                self.assertEqual(gateway.admin().get("/metrics", **{name: "192.0.2.7"}).status, 200)

    def test_may_be_opened_to_everybody(self):
        gateway = self.start(Lightship(portal={"listen": f"127.0.0.1:{free_port()}", "metrics_public": True}))
        self.assertEqual(gateway.visitor().get("/metrics", **{"X-Forwarded-For": "192.0.2.7"}).status, 200)
