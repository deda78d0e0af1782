"""A hundred `kill -9` at random moments while the broker comes and goes: no gap, no number for two messages."""
import collections
import os
import random
import time

from support import Lightship, Mosquitto, Subscriber, TestCase, configuration as c, modbus

KILLS = int(os.environ.get("LIGHTSHIP_KILLS", "100"))
DEVICES = 4


class KilledAtAnyMoment(TestCase):
    def test_leaves_no_gap_and_no_number_for_two_messages(self):
        random.seed(os.environ.get("LIGHTSHIP_SEED", "20260104"))
        broker, device = self.start(Mosquitto()), self.start(modbus.libmodbus_tcp())
        ear = self.start(Subscriber(broker.port))
        lines = [c.tcp(device.port, c.client(poll_interval=0.1, mqtt_interval=0.1), name=f"line-{n}") for n in range(DEVICES)]
        ship = Lightship(slave_config=c.slaves(*lines),
                         communication=c.communication(c.mqtt(broker.port), outbox={"commit_every": "20ms"}))
        ship.wait_ready = False
        self.start(ship)
        away = False
        for kill in range(KILLS):
            if kill % 7 == 3:
                broker.shut_down()
                away = True
            if away and kill % 7 == 5:
                broker.start()
                ear.await_subscribed()
                away = False
            time.sleep(random.uniform(0.05, 1.1))
            ship.kill_9()
            ship.start_again()
        if away:
            broker.start()
            ear.await_subscribed()
        ship.await_ready()
        newest = max(m.json["sequence"] for m in ear.snapshot("site/line-0/meter"))
        ear.wait_for(lambda m: m.topic == "site/line-0/meter" and m.json["sequence"] > newest + 10, 40, "it goes on")
        time.sleep(1)
        bodies = collections.defaultdict(dict)
        for m in ear.snapshot():
            if not m.topic.startswith("site/"):
                continue
            body = m.json
            body.pop("historical", None)  # only this may differ when it is sent again
            known = bodies[m.topic].setdefault(body["sequence"], body)
            self.assertEqual(known, body, "a number was given to two messages")
        self.assertEqual(len(bodies), DEVICES)
        for topic, by_number in bodies.items():
            self.assertEqual(sorted(set(range(1, max(by_number) + 1)) - set(by_number)), [], f"missing on {topic}")
            self.assertGreater(len(by_number), KILLS)
