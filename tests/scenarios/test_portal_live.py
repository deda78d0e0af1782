"""The live feed of the portal against the running gateway: what it tells, to how many, and to whom no more."""
import asyncio
import json
import resource
import time

from support import Lightship, TestCase, configuration, free_port, modbus
from support.websocket import BINARY, TEXT, Closed, Refused, Watcher, WebSocket

UNAUTHORIZED, POLICY, TOO_BIG, NO_TEXT = 4401, 1008, 1009, 1003


def counters(gateway, name):
    return sum(float(line.split()[-1]) for line in gateway.get("/metrics").body.splitlines() if line.startswith(name))


def another_session(gateway):
    gateway.admin()  # its first password is changed
    visitor = gateway.visitor()
    return visitor.come_in("admin", visitor.KNOWN)


def new_token(admin, name="live"):
    made = admin.post("/api/tokens", {"name": name, "role": "viewer", "days": 1})
    assert made.status == 201, made
    return made.json["token"]


def comparable(value):
    """Without what is another at every look: times and ages."""
    if isinstance(value, dict):
        return {k: comparable(v) for k, v in value.items() if k not in ("time", "measured", "age_s", "uptime_s", "last_good", "recent", "condition", "polls",
                                                                        "latency_p50_ms", "latency_p95_ms", "availability", "detail", "achieved_percent")}
    return [comparable(one) for one in value] if isinstance(value, list) else value


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

    async def wait(self, feed, watcher, condition, within=10):
        end = time.monotonic() + within
        while not condition():
            left = end - time.monotonic()
            self.assertGreater(left, 0, f"not within {within} s; {watcher.data} {watcher.errors}")
            watcher.take(await feed.receive(left))

    # ---- what is told -------------------------------------------------------------------------------

    def test_snapshot_and_deltas_say_what_the_endpoints_say(self):
        async def watch():
            feed, watcher = await self.feed(), Watcher()
            topics = {"devices": ("/api/device-health", "id"), "services": ("/api/status", "name"), "device:main/m1": ("/api/device/main%2Fm1/registers", "name"),
                      "alerts": ("/api/alerts", "id"), "metrics": ("/api/metrics", None)}
            await feed.send({"subscribe": list(topics)})
            await self.wait(feed, watcher, lambda: len(watcher.data) == len(topics))
            # A device falls silent and comes back: states, kinds and nulls change on the way.
            self.device.answer = lambda unit, pdu: None if unit == 1 else modbus.serve_data_map(pdu)
            item = lambda: watcher.data["devices"]["items"]["main/m1"]
            await self.wait(feed, watcher, lambda: item()["state"] == "offline", 20)
            self.device.answer = lambda unit, pdu: modbus.serve_data_map(pdu)
            await self.wait(feed, watcher, lambda: item()["state"] == "ok", 60)
            self.assertGreater(watcher.deltas, 5)
            self.assertEqual((watcher.gaps, watcher.errors), (0, {}))
            for topic, (path, key) in topics.items():
                for attempt in range(20):
                    with_login = await asyncio.to_thread(self.login.get, path)
                    told = json.loads(with_login.body)
                    if key:
                        told = {**told, "items": {one[key]: one for one in told["items"] if topic != "alerts" or one["state"] != "cleared"}}
                    told.pop("next", None), told.pop("history", None)
                    if topic == "services":  # /api/status says also what `lightship status` shows
                        told = {k: v for k, v in told.items() if k in watcher.data[topic]}
                    if topic == "metrics":
                        self.assertEqual(shape(watcher.data[topic]), shape(told))
                        break
                    if comparable(watcher.data[topic]) == comparable(told):
                        break
                    with_time = time.monotonic() + 1
                    while time.monotonic() < with_time:
                        watcher.take(await feed.receive())
                else:
                    self.assertEqual(comparable(watcher.data[topic]), comparable(told), topic)

        def shape(value):
            if isinstance(value, dict):
                return {k: shape(v) for k, v in value.items()}
            return "list" if isinstance(value, list) else value is not None and type(value) is str
        asyncio.run(watch())

    def test_values_of_a_device_come_within_its_interval(self):
        async def watch():
            feed, watcher = await self.feed(), Watcher()
            await feed.send({"subscribe": ["device:main/m2"]})
            await self.wait(feed, watcher, lambda: "device:main/m2" in watcher.data)
            self.device.answer = lambda unit, pdu: bytes([3, 2 * pdu[4]]) + b"\x12\x34" * pdu[4]
            began = time.monotonic()
            await self.wait(feed, watcher, lambda: watcher.data["device:main/m2"]["items"]["r3"]["value"] == 0x1234)
            self.assertLess(time.monotonic() - began, 2.5)
        asyncio.run(watch())

    def test_the_log_grows_line_by_line(self):
        async def watch():
            feed, watcher = await self.feed(), Watcher()
            await feed.send({"subscribe": ["logs"]})
            await self.wait(feed, watcher, lambda: "logs" in watcher.data)
            before = [line["seq"] for line in watcher.data["logs"]["items"]]
            self.device.answer = lambda unit, pdu: None
            await self.wait(feed, watcher, lambda: len(watcher.data["logs"]["items"]) > len(before), 20)
            after = [line["seq"] for line in watcher.data["logs"]["items"]]
            self.assertEqual(after[:len(before)], before)
            self.assertEqual(after, sorted(set(after)))
        asyncio.run(watch())

    def test_unknown_topics_are_refused_by_name(self):
        async def watch():
            feed, watcher = await self.feed(), Watcher()
            await feed.send({"subscribe": ["nothing", "device:main/nobody", "frames:nothing"]})
            await self.wait(feed, watcher, lambda: len(watcher.errors) == 3)
            self.assertEqual({one["status"] for one in watcher.errors.values()}, {404})
        asyncio.run(watch())

    # ---- breaks -------------------------------------------------------------------------------------

    def test_resume_continues_where_it_stopped(self):
        async def watch():
            first, watcher = await self.feed(), Watcher()
            await first.send({"subscribe": ["devices"]})
            await self.wait(first, watcher, lambda: watcher.deltas >= 1)
            first.close()
            await asyncio.sleep(2.5)
            again = await self.feed()
            await again.send({"resume": dict(watcher.seq)})
            deltas = watcher.deltas
            await self.wait(again, watcher, lambda: watcher.deltas >= deltas + 2)
            self.assertEqual((watcher.snapshots, watcher.gaps), (1, 0))
            unknown = Watcher()
            other = await self.feed()
            await other.send({"resume": {"devices": 41}})
            await self.wait(other, unknown, lambda: unknown.snapshots == 1)
            self.assertEqual(unknown.data["devices"].keys(), watcher.data["devices"].keys())
        asyncio.run(watch())

    def test_a_restart_of_the_gateway_gives_a_snapshot_and_never_a_wrong_delta(self):
        async def watch():
            feed, watcher = await self.feed(), Watcher()
            await feed.send({"subscribe": ["devices"]})
            await self.wait(feed, watcher, lambda: watcher.deltas >= 1)
            stopped = asyncio.create_task(asyncio.to_thread(self.gateway.terminate))
            self.assertEqual(await feed.closed(5), 1001)
            feed.close()
            await stopped
            await asyncio.to_thread(self.gateway.start_again)
            again = await self.feed()                       # the session outlives the restart
            await again.send({"resume": dict(watcher.seq)})
            await self.wait(again, watcher, lambda: watcher.snapshots == 2)
        asyncio.run(watch())

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
            await refused(401, Origin=ours, Cookie=f"{cookie.split('=')[0]}=0123456789abcdef")
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

    def test_one_that_never_reads_costs_the_others_nothing(self):
        async def watch():
            stuck = await WebSocket.open("127.0.0.1", self.port, "/api/live", receive_buffer=2048, Cookie=self.login.cookie,
                                         Origin=f"http://127.0.0.1:{self.port}")
            stuck.reader._transport.pause_reading()
            other = await asyncio.to_thread(another_session, self.gateway)
            others = [await self.feed(login) for login in (self.login, other) for _ in range(25)]
            watchers = [Watcher() for _ in others]
            await stuck.send({"subscribe": ["devices", "metrics", "services", *(f"device:main/m{n}" for n in range(1, self.DEVICES + 1))]})
            gaps = []

            async def follow(feed, watcher, end):
                await feed.send({"subscribe": ["devices", "metrics"]})
                last = time.monotonic()
                while time.monotonic() < end:
                    watcher.take(await feed.receive(5))
                    gaps.append(time.monotonic() - last)
                    last = time.monotonic()

            async def hammer(end):
                # Snapshots without end, so that the buffers of the kernel are full as well.
                while time.monotonic() < end:
                    try:
                        await asyncio.wait_for(stuck.send({"subscribe": ["devices", "services", "metrics"]}), 1)
                    except (TimeoutError, asyncio.TimeoutError, ConnectionError):
                        return
                    await asyncio.sleep(0.06)
            end = time.monotonic() + 12
            await asyncio.gather(hammer(end), *(follow(f, w, end) for f, w in zip(others, watchers)))
            self.assertEqual([w.gaps for w in watchers], [0] * 50)
            self.assertTrue(all(w.deltas >= 9 for w in watchers), [w.deltas for w in watchers])
            self.assertLess(max(gaps), 2.5)
        asyncio.run(watch())
        self.assertEqual(counters(self.gateway, "lightship_modbus_overruns_total"), 0)


class Thousand(TestCase):
    CLIENTS = 1000

    def test_a_thousand_watch_and_polls_and_health_stay_on_time(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2500:
            self.skipTest(f"only {hard} descriptors may be open here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        device = self.start(modbus.ScriptedDevice())
        clients = [configuration.client(f"m{unit}", unit, poll_interval=1) for unit in range(1, 9)]
        for one in clients:
            one.pop("mqtt_enabled"), one.pop("mqtt_interval")
        gateway = self.start(Lightship(slave_config=configuration.slaves(configuration.tcp(device.port, *clients))))
        host, port = gateway.portal
        login = gateway.admin()
        tokens = [new_token(login, f"t{i}") for i in range(-(-self.CLIENTS // 30))]
        late = counters(gateway, "lightship_modbus_overruns_total")

        def memory():
            status = open(f"/proc/{gateway.process.pid}/status").read()
            return int(status.split("RssAnon:")[1].split()[0])

        async def watch():
            empty = memory()
            feeds = [await WebSocket.open(host, port, "/api/live", Authorization=f"Bearer {tokens[i // 30]}") for i in range(self.CLIENTS)]
            watchers = [Watcher() for _ in feeds]
            end = time.monotonic() + 15
            slowest = 0.0

            async def follow(feed, watcher):
                await feed.send({"subscribe": ["devices", f"device:main/m{1 + id(feed) % 8}"]})
                while (left := end - time.monotonic()) > 0:
                    try:
                        watcher.take(await feed.receive(left))
                    except asyncio.TimeoutError:
                        return

            async def health():
                nonlocal slowest
                while time.monotonic() < end:
                    began = time.monotonic()
                    answer = await asyncio.to_thread(gateway.get, "/healthz")
                    slowest = max(slowest, time.monotonic() - began)
                    self.assertEqual(answer.status, 200)
                    await asyncio.sleep(0.5)
            await asyncio.gather(health(), *(follow(f, w) for f, w in zip(feeds, watchers)))
            full = memory()
            for watcher in watchers:
                self.assertEqual((watcher.gaps, watcher.errors), (0, {}))
                self.assertEqual(len(watcher.data["devices"]["items"]), 8)
            # A process of Python can hardly read more than that from a thousand.
            self.assertGreater(sum(w.deltas for w in watchers) / self.CLIENTS, 10)
            self.assertLess(slowest, 1.0)
            self.assertLess((full - empty) / self.CLIENTS, 24, "KiB a client")
            for feed in feeds:
                feed.close()
        asyncio.run(watch())
        self.assertEqual(counters(gateway, "lightship_modbus_overruns_total"), late)
