"""The live feed of the portal against the running gateway: who may watch, and what hostile clients get."""
import asyncio
import time

from support import Lightship, TestCase, configuration, free_port, modbus
from support.websocket import BINARY, TEXT, Refused, WebSocket

UNAUTHORIZED, POLICY, TOO_BIG, NO_TEXT = 4401, 1008, 1009, 1003


def another_session(gateway):
    gateway.admin()  # its first password is changed
    visitor = gateway.visitor()
    return visitor.come_in("admin", visitor.KNOWN)


def new_token(admin, name="live"):
    made = admin.post("/api/tokens", {"name": name, "role": "viewer", "days": 1})
    assert made.status == 201, made
    return made.json["token"]


class Live(TestCase):
    DEVICES = 4

    def setUp(self):
        super().setUp()
        self.device = self.start(modbus.ScriptedDevice())
        clients = [configuration.client(f"m{unit}", unit, poll_interval=0.5) for unit in range(1, self.DEVICES + 1)]
        for one in clients:
            one.pop("mqtt_enabled"), one.pop("mqtt_interval")
        self.port = free_port()
        self.gateway = self.start(Lightship(slave_config=configuration.slaves(configuration.tcp(self.device.port, *clients)),
                                            portal={"listen": f"127.0.0.1:{self.port}"}))
        self.login = self.gateway.admin()

    def feed(self, login=None, **headers):
        login = login or self.login
        return WebSocket.open("127.0.0.1", self.port, "/api/live", Cookie=login.cookie, **{"Origin": f"http://127.0.0.1:{self.port}", **headers})

    # ---- who may ------------------------------------------------------------------------------------

    def test_only_a_session_of_ours_and_a_page_of_ours_may_watch(self):
        async def refused(expected, **headers):
            with self.assertRaises(Refused) as caught:
                await WebSocket.open("127.0.0.1", self.port, "/api/live", **headers)
            self.assertEqual(caught.exception.status, expected)

        async def watch():
            ours = f"http://127.0.0.1:{self.port}"
            cookie = self.login.cookie
            await refused(401, Origin=ours)
            await refused(401, Origin=ours, Cookie="lightship=0123456789abcdef")
            await refused(403, Origin="http://evil.example", Cookie=cookie)
            await refused(403, Origin=f"{ours}.evil.example", Cookie=cookie)
            await refused(403, Origin="null", Cookie=cookie)
            await refused(403, Cookie=cookie)
            token = await asyncio.to_thread(new_token, self.login)
            feed = await WebSocket.open("127.0.0.1", self.port, "/api/live", Authorization=f"Bearer {token}")
            await feed.send({"ping": 5})
            self.assertEqual(await feed.receive(), {"type": "pong", "ping": 5})
        asyncio.run(watch())
        self.assertEqual(self.login.get("/api/live").status, 426)

    def test_a_feed_ends_with_its_session_at_once(self):
        async def watch():
            other = await asyncio.to_thread(another_session, self.gateway)
            feed, mine = await self.feed(other), await self.feed()
            await feed.send({"subscribe": ["devices"]})
            await feed.receive()
            began = time.monotonic()
            await asyncio.to_thread(other.post, "/api/logout")
            self.assertEqual(await feed.closed(5), UNAUTHORIZED)
            self.assertLess(time.monotonic() - began, 1.5)
            with self.assertRaises(Refused) as caught:
                await self.feed(other)
            self.assertEqual(caught.exception.status, 401)
            await mine.send({"ping": 1})
            self.assertEqual((await mine.receive())["type"], "pong")
        asyncio.run(watch())

    # ---- hostile ------------------------------------------------------------------------------------

    def test_nonsense_is_answered_and_in_the_end_refused(self):
        async def watch():
            feed = await self.feed()
            await feed.send("{")
            frame = await feed.receive()
            self.assertEqual((frame["type"], frame["problem"]["status"]), ("error", 400))
            for _ in range(20):
                await feed.send("[]")
            self.assertEqual(await feed.closed(), POLICY)

            binary = await self.feed()
            await binary.send_frame(BINARY, b"\x00\x01")
            self.assertEqual(await binary.closed(), NO_TEXT)

            long = await self.feed()
            await long.send({"subscribe": ["x" * 20_000]})
            self.assertEqual(await long.closed(), TOO_BIG)

            not_utf8 = await self.feed()
            await not_utf8.send_frame(TEXT, b'{"ping":"\xff\xfe"}')
            self.assertIn(await not_utf8.closed(), (1007, None))

            fast = await self.feed()
            try:
                for _ in range(3000):
                    await fast.send({"ping": 1})
            except ConnectionError:
                pass
            self.assertIn(await fast.closed(), (POLICY, None))

            pieces = await self.feed()
            await pieces.send_frame(TEXT, b'{"ping"', final=False)
            await pieces.send_frame(0, b":3}")
            self.assertEqual(await pieces.receive(), {"type": "pong", "ping": 3})
            try:
                for i in range(100):
                    await pieces.send_frame(0 if i else TEXT, b"x" * 1000, final=False)
            except ConnectionError:
                pass
            self.assertIn(await pieces.closed(), (TOO_BIG, None))
        asyncio.run(watch())
