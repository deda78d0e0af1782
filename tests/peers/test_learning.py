"""What a real server refuses is learned, kept over a restart, and not asked for again."""
import json

from support import Lightship, Mosquitto, Subscriber, TestCase, configuration as c, eventually, modbus

TOPIC = "site/main/meter"
HOLES = "12,25-27,33"


class HolesOfAServer(TestCase):
    def setUp(self):
        super().setUp()
        self.broker = self.start(Mosquitto())
        self.ear = self.start(Subscriber(self.broker.port))
        self.server = self.start(modbus.pymodbus_server(holes=HOLES))

    def counts(self):
        return self.server.ask("count")

    def values_after(self, seen):
        message = self.ear.wait_for(lambda m: m.topic == TOPIC and m.json["measurements"].get("r20") is not None, 15, "values", seen)
        return dict(message.json["measurements"])

    def check(self, gone, again):
        """`again`: refused requests after a restart."""
        points = {f"r{at}": {"address": at, "function": 3, "data_type": "uint16"} for at in range(40) if at not in gone}
        expected = {name: modbus.holding(p["address"]) if p["address"] != 33 else None
                    for name, p in points.items()}
        expected["online"] = True
        run = self.start(Lightship(slave_config=c.slaves(c.tcp(self.server.port, c.client(points=points))),
                                   communication=c.communication(c.mqtt(self.broker.port))))
        self.assertEqual(self.values_after(0), expected)
        self.assertGreater(self.counts()["refused"], 0)

        file = run.data / "learned.json"
        eventually(file.exists, 10, "learned.json is there")
        run.terminate()
        kept = json.loads(file.read_text())
        before, seen = self.counts(), self.ear.count()
        run.start_again()
        self.assertEqual(self.values_after(seen), expected)
        eventually(lambda: self.counts()["requests"] >= before["requests"] + 30, 20, "ten more polls")
        self.assertEqual(self.counts()["refused"], before["refused"] + again, kept)

    def test_in_gaps_between_points_are_not_asked_for_after_a_restart(self):
        self.check(gone=(12, 25, 26, 27, 33), again=0)

    def test_a_point_that_is_not_there_is_asked_for_once_after_a_restart(self):
        self.check(gone=(12, 25, 26, 27), again=1)
