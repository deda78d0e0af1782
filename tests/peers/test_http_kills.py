"""Killed again and again while the server comes and goes: what the server has seen in the end shows no gap."""
import json
import random
import threading
import time

from support import HttpPeer, Lightship, TestCase, configuration as c, eventually, modbus

KILLS = 100
CLIENTS = ("a", "b")


class KillNine(TestCase):
    def test_at_random_moments_loses_no_message_and_no_number(self):
        self.check(batch=1)

    def test_with_batches(self):
        self.check(batch=7, kills=25)

    def check(self, batch, kills=KILLS):
        dice = random.Random(batch)
        device = self.start(modbus.libmodbus_tcp())
        peer = self.start(HttpPeer())
        clients = [c.client(name, unit, mqtt_enabled=False, http_enabled=True, http_interval=0.1, poll_interval=0.1)
                   for unit, name in enumerate(CLIENTS, 1)]
        endpoint = {"url": peer.url(), "timeout": 2, **({"batch": batch, "batch_wait": 0.2} if batch > 1 else {})}
        site = c.communication(api_endpoints={"electrical": {"measurements": endpoint}})
        ship = self.start(Lightship(slave_config=c.slaves(c.tcp(device.port, *clients)), communication=site, wait_ready=False))

        over = threading.Event()

        def come_and_go():
            while not over.wait(dice.uniform(0.3, 1.5)):
                peer.stop()
                over.wait(dice.uniform(0.1, 0.8))
                peer.start()
        weather = threading.Thread(target=come_and_go)
        weather.start()
        try:
            for _ in range(kills):
                time.sleep(dice.uniform(0.15, 0.9))
                ship.kill_9()
                ship.start_again()
        finally:
            over.set()
            weather.join()
        ship.wait_ready = True
        ship.await_ready()
        already = len(peer.messages())
        eventually(lambda: len(peer.messages()) > already + 10 and self.waiting(ship) <= 4, 30, "everything delivered")

        for name in CLIENTS:
            numbers = [m["sequence"] for m in peer.messages() if m["client_id"] == name]
            first_seen = list(dict.fromkeys(numbers))
            self.assertEqual(first_seen, list(range(1, len(first_seen) + 1)), f"{name}: a gap, or out of order")
            self.assertGreater(len(first_seen), kills, "too few messages to prove anything")
        # The same message has the same key each time, and no two messages share one.
        keys = {}
        for request in peer.heard():
            for m in request.messages:
                if batch == 1:
                    keys.setdefault(request.headers["idempotency-key"], set()).add((m["client_id"], m["sequence"]))
        self.assertEqual([key for key, whose in keys.items() if len(whose) != 1], [])

    def waiting(self, ship):
        parts = json.loads(ship.get("/api/status").body)["parts"]
        return next(p for p in parts if p["name"] == "http/electrical")["waiting"]
