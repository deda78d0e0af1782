"""The clock is moved by hand, or wrong from the start: told and survived."""
import calendar
import glob
import json
import time
import unittest

from support import Lightship, Mosquitto, Subscriber, TestCase, configuration as c, eventually, modbus
from support.testcase import missing_peer

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def seconds(rfc3339):
    return calendar.timegm(time.strptime(rfc3339[:19], "%Y-%m-%dT%H:%M:%S"))


class MovedClock(TestCase):
    """libfaketime stands between the program and the wall clock; the steady clock stays the kernel's."""

    def set_clock(self, offset):
        fresh = self.folder / "offset.new"
        fresh.write_text(offset + "\n")
        fresh.rename(self.folder / "offset")

    def ship(self, broker, **topics):
        if LIBRARY is None:
            missing_peer("libfaketime is not installed")
        self.set_clock("+0")
        environment = {"LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": self.folder / "offset", "FAKETIME_NO_CACHE": "1",
                       "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        device = self.start(modbus.libmodbus_tcp())
        mqtt = c.mqtt(broker.port, topics={"electrical": {"measurements": c.MEASUREMENTS, **topics}})
        return self.start(Lightship(env=environment, slave_config=c.slaves(c.tcp(device.port)), communication=c.communication(mqtt)))

    def test_the_alert_of_a_step_goes_to_the_topic_of_alerts(self):
        broker = self.start(Mosquitto())
        subscriber = self.start(Subscriber(broker.port, ["alerts/#", "site/#"]))
        self.ship(broker, alerts="alerts/{device_id}/{type}/{connection_id}/{client_id}/{point}")
        subscriber.wait_for(lambda m: m.topic == "site/main/meter", 15)
        before = [m.topic for m in subscriber.snapshot() if m.topic.startswith("alerts/")]
        self.assertEqual(before, [], "nothing is wrong yet")
        self.set_clock("+3600")
        told = subscriber.wait_for(lambda m: m.topic.startswith("alerts/"), 10, "the alert")
        self.assertEqual(told.topic, "alerts/testsite/host/host/gateway/clock-step")
        body = told.json
        self.assertEqual({k: body[k] for k in ("device_id", "rule", "point", "severity", "state")},
                         {"device_id": "testsite", "rule": "clock-step", "point": "", "severity": "info", "state": "raised"})
        self.assertAlmostEqual(body["value"], 3600, delta=5)
        self.assertIn("forward", body["text"])
        self.assertAlmostEqual(seconds(body["timestamp"]), time.time() + 3600, delta=20)
        self.assertEqual(told.qos, 1)
        self.assertNotIn("sequence", body)

    def test_a_step_is_told_with_its_amount_and_values_go_on(self):
        broker = self.start(Mosquitto())
        subscriber = self.start(Subscriber(broker.port, ["site/#"]))
        ship = self.ship(broker)
        subscriber.wait_for(lambda m: m.json["quality"] == "good", 15)

        # libfaketime moves absolute timers of the steady clock too: further back than the machine has been up, and a
        # timer that is due at once never fires.
        for offset, way in (("+3600", "forward"), ("-60", "back")):
            with self.subTest(offset):
                mark = len(ship.log())
                self.set_clock(offset)
                told = ship.wait_for_log_text("the clock was set", after=mark)
                self.assertEqual(told["way"], way, told)
                body = subscriber.wait_for(lambda m: m.json["quality"] == "good", 15, after=subscriber.count() + 1).json
                self.assertLess(body["age_ms"], 5000, "ages are counted on the steady clock")
                self.assertAlmostEqual(seconds(body["timestamp"]), time.time() + float(offset), delta=20)


class WrongClock(TestCase):
    def test_a_time_before_the_last_run_is_told_at_the_start(self):
        ship = self.start(Lightship())
        ship.terminate()
        (ship.data / "clock.json").write_text('{"time":"2150-01-01T00:00:00.000Z"}\n')
        mark = len(ship.log())
        ship.start_again()
        ship.wait_for_log_text("the clock is wrong", after=mark)
        self.assertIn("2150", (ship.data / "clock.json").read_text(), "a wrong time is not kept")

    def test_the_time_is_kept_for_the_next_run(self):
        ship = self.start(Lightship())
        eventually((ship.data / "clock.json").exists, 5, "clock.json")
        self.assertLess(abs(time.time() - seconds(json.loads((ship.data / "clock.json").read_text())["time"])), 30)


if __name__ == "__main__":
    unittest.main()
