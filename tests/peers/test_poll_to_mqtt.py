"""From the register to the broker: polled devices of others arrive as the messages that were promised."""
import re
import time

from support import (Lightship, Mosquitto, PacedLine, Subscriber, TestCase, configuration as c, free_port, modbus)

MEMBERS = ["device_id", "connection_id", "client_id", "type", "timestamp", "sequence", "quality", "age_ms", "poll_ms",
           "measurements", "units"]


def sequences(messages):
    return [m.json["sequence"] for m in messages]


class PollTest(TestCase):
    def setUp(self):
        super().setUp()
        self.broker = self.start(Mosquitto())
        self.ear = self.start(Subscriber(self.broker.port))

    def run_with(self, *connections, mqtt=None, **more):
        return self.start(Lightship(slave_config=c.slaves(*connections),
                                    communication=c.communication(c.mqtt(self.broker.port, **(mqtt or {}))), **more))

    def first_good(self, topic="site/main/meter", after=0, within=10):
        return self.ear.wait_for(lambda m: m.topic == topic and m.json["quality"] == "good", within, f"a good {topic}", after)


class EveryServer(PollTest):
    def check(self, connection, topic="site/main/meter"):
        self.run_with(connection)
        message = self.first_good(topic)
        values = dict(message.json["measurements"])
        self.assertIs(values.pop("online"), True)
        self.assertEqual(values, {f"r{i}": v for i, v in enumerate(modbus.mapped(3, 0, 10))})

    def test_libmodbus_over_tcp(self):
        self.check(c.tcp(self.start(modbus.libmodbus_tcp()).port))

    def test_pymodbus_over_tcp(self):
        self.check(c.tcp(self.start(modbus.pymodbus_server()).port))

    def test_modbus_serial_over_tcp(self):
        self.check(c.tcp(self.start(modbus.modbus_serial_tcp()).port))

    def test_pymodbus_over_udp(self):
        self.check(c.tcp(self.start(modbus.pymodbus_server("udp")).port, connection_type="udp"))

    def test_pymodbus_with_rtu_over_tcp(self):
        self.check(c.tcp(self.start(modbus.pymodbus_server("rtu_over_tcp")).port, connection_type="rtu_over_tcp"))

    def test_libmodbus_over_a_serial_line(self):
        line = self.start(PacedLine())
        self.start(modbus.libmodbus_rtu(line.device_paths[0]))
        self.check(c.serial(line.master_path), "site/line/meter")

    def test_pymodbus_over_a_serial_line(self):
        line = self.start(PacedLine())
        self.start(modbus.pymodbus_server("rtu", tty=line.device_paths[0], unit=1))
        self.check(c.serial(line.master_path), "site/line/meter")

    def test_pymodbus_over_an_ascii_line(self):
        line = self.start(PacedLine(baud=19200, ascii=True))
        self.start(modbus.pymodbus_server("ascii", tty=line.device_paths[0], baud=19200, unit=1))
        self.check(c.serial(line.master_path, connection_type="ascii", baud_rate=19200, data_bits=8), "site/line/meter")

    def test_a_tcp_and_a_serial_connection_at_once(self):
        line = self.start(PacedLine())
        self.start(modbus.libmodbus_rtu(line.device_paths[0], unit=5))
        server = self.start(modbus.libmodbus_tcp())
        self.run_with(c.tcp(server.port), c.serial(line.master_path, c.client("press", 5)))
        self.first_good("site/main/meter")
        self.first_good("site/line/press")


class TheMessage(PollTest):
    def setUp(self):
        super().setUp()
        self.server = self.start(modbus.libmodbus_tcp())

    def values(self, points, words):
        """What arrives for these points after `words` were put at 50."""
        self.server.set("holding", 50, *words)
        self.run_with(c.tcp(self.server.port, c.client(points=points)))
        return self.first_good()

    def test_has_exactly_these_members_in_this_order(self):
        points = {"voltage_l1": {"address": 0, "data_type": "uint16", "unit": "V"}, "state": {"address": 1, "data_type": "uint16"}}
        before = time.time()
        message = self.values(points, [])
        self.assertEqual(list(message.json), MEMBERS)
        self.assertEqual({k: message.json[k] for k in ("device_id", "connection_id", "client_id", "type", "quality")},
                         {"device_id": "testsite", "connection_id": "main", "client_id": "meter", "type": "electrical",
                          "quality": "good"})
        self.assertEqual(message.json["measurements"], {"voltage_l1": modbus.holding(0), "state": modbus.holding(1), "online": True})
        self.assertEqual(message.json["units"], {"voltage_l1": "V"})
        self.assertRegex(message.json["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        stamp = message.json["timestamp"]
        self.assertGreaterEqual(stamp[:19], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before - 1)))
        self.assertLessEqual(stamp[:19], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(message.wall + 1)))
        self.assertIsInstance(message.json["age_ms"], int)
        self.assertIsInstance(message.json["poll_ms"], int)
        self.assertLess(message.json["age_ms"], 2000)
        self.assertFalse(message.retain)
        self.assertEqual(message.qos, 1)

    def test_sequence_counts_from_one_by_one_for_each_device(self):
        self.run_with(c.tcp(self.server.port, c.client("a", 1), c.client("b", 2)))
        for topic in ("site/main/a", "site/main/b"):
            self.assertEqual(sequences(self.ear.wait_for_count(topic, 8)), list(range(1, 9)))

    def test_float32_is_the_shortest_decimal_that_reads_back(self):
        floats = [230.1, 0.1, 1 / 3, 16777216.0, 1e-7, 3.4028235e38]
        points = {f"f{i}": {"address": 50 + 2 * i, "data_type": "float32"} for i in range(len(floats))}
        message = self.values(points, [w for f in floats for w in modbus.words(">f", f)])
        text = message.payload.decode()
        for i, shortest in enumerate(("230.1", "0.1", "0.33333334")):
            self.assertRegex(text, rf'"f{i}": ?{re.escape(shortest)}[,}}]')
        for i, value in enumerate(floats):
            self.assertEqual(modbus.words(">f", message.json["measurements"][f"f{i}"]), modbus.words(">f", value), text)

    def test_64_bit_integers_keep_all_digits(self):
        points = {"energy": {"address": 50, "data_type": "uint64"}, "balance": {"address": 54, "data_type": "int64"}}
        message = self.values(points, modbus.words(">Q", 2**64 - 1) + modbus.words(">q", -2**63 + 1))
        self.assertRegex(message.payload.decode(), r'"energy": ?18446744073709551615\b')
        self.assertRegex(message.payload.decode(), r'"balance": ?-9223372036854775807\b')

    def test_scaled_integers_have_the_decimals_of_their_scale(self):
        points = {"temperature": {"address": 50, "data_type": "int16", "scale": 0.1, "unit": "°C"},
                  "current": {"address": 51, "data_type": "uint16", "scale": 0.001},
                  "pressure": {"address": 52, "data_type": "int16", "scale": 0.01, "offset": 0.5},
                  "power": {"address": 53, "data_type": "uint16", "scale": 10}}
        message = self.values(points, [0xFFFD, 1107, 33, 7])
        text = message.payload.decode()
        for name, value in (("temperature", "-0.3"), ("current", "1.107"), ("pressure", "0.83"), ("power", "70")):
            self.assertRegex(text, rf'"{name}": ?{re.escape(value)}(\.0)?[,}}]')
        self.assertEqual(message.json["units"], {"temperature": "°C"})

    def test_orders_bits_and_texts(self):
        points = {"cdab": {"address": 50, "data_type": "float32", "byte_order": "little_swap"},
                  "dcba": {"address": 52, "data_type": "float32", "byte_order": "DCBA"},
                  "run": {"address": 54, "data_type": "bit", "bit": 3},
                  "mode": {"address": 55, "data_type": "enum16", "enum": {4: "mppt", 5: "throttled"}},
                  "model": {"address": 56, "count": 4, "data_type": "string"},
                  "relay": {"address": 0, "function": 1, "data_type": "bool"},
                  "door": {"address": 1, "function": 2, "data_type": "bool"},
                  "raw": {"address": 7, "function": 4, "data_type": "uint16"}}
        message = self.values(points, modbus.words(">f", 230.25, "CDAB") + modbus.words(">f", -1.5, "DCBA") + [0x0008, 4]
                              + [0x504D, 0x3500, 0, 0])
        values = message.json["measurements"]
        self.assertEqual((values["cdab"], values["dcba"], values["run"], values["model"]), (230.25, -1.5, True, "PM5"))
        self.assertEqual((values["relay"], values["door"], values["raw"]),
                         (bool(modbus.coil(0)), bool(modbus.discrete(1)), modbus.input_register(7)))
        self.assertEqual(values["mode"], "mppt")

    def test_what_is_no_number_is_null_with_its_reason(self):
        points = {"nan": {"address": 50, "data_type": "float32"}, "infinite": {"address": 52, "data_type": "float32"},
                  "missing": {"address": 54, "data_type": "int16", "not_available": ["8000"]},
                  "wild": {"address": 55, "data_type": "uint16", "max": 500}, "good": {"address": 56, "data_type": "uint16"}}
        self.server.set("holding", 50, 0x7FC0, 0, 0x7F80, 0, 0x8000, 501, 7)
        self.run_with(c.tcp(self.server.port, c.client(points=points)))
        message = self.ear.wait_for(lambda m: m.topic == "site/main/meter" and m.json["quality"] == "partial")
        self.assertEqual(message.json["measurements"],
                         {"nan": None, "infinite": None, "missing": None, "wild": None, "good": 7, "online": True})
        errors = message.json["errors"]
        self.assertEqual(set(errors), {"nan", "infinite", "missing", "wild"})
        self.assertEqual((errors["missing"], errors["wild"]), ("not_available", "out_of_range"))

    def test_a_refused_register_says_which_exception(self):
        points = {"here": {"address": 0, "data_type": "uint16"}, "beyond": {"address": 1000, "data_type": "uint16"}}
        self.run_with(c.tcp(self.server.port, c.client(points=points)))
        message = self.ear.wait_for(lambda m: m.topic == "site/main/meter" and m.json["quality"] == "partial")
        self.assertEqual(message.json["measurements"], {"here": modbus.holding(0), "beyond": None, "online": True})
        self.assertEqual(message.json["errors"], {"beyond": "exception_2"})

    def test_placeholders_in_the_topic(self):
        topics = {"electrical": {"measurements": "{device_id}/{type}/{connection_id}/{client_id}"}}
        self.run_with(c.tcp(self.server.port, c.client("meter-1"), name="main-panel"), mqtt={"topics": topics})
        self.first_good("testsite/electrical/main-panel/meter-1")

    def test_a_client_without_mqtt_is_not_sent(self):
        self.run_with(c.tcp(self.server.port, c.client("a", 1), c.client("b", 2, mqtt_enabled=False)))
        self.ear.wait_for_count("site/main/a", 5)
        self.assertEqual(self.ear.snapshot("site/main/b"), [])

    def test_intervals_are_kept_without_drift(self):
        self.run_with(c.tcp(self.server.port, c.client(poll_interval=0.5, mqtt_interval=0.5)))
        times = [m.at for m in self.ear.wait_for_count("site/main/meter", 9)][2:]
        self.assertAlmostEqual((times[-1] - times[0]) / (len(times) - 1), 0.5, delta=0.02)


class TheStatusTopic(PollTest):
    def setUp(self):
        super().setUp()
        self.server = self.start(modbus.libmodbus_tcp())

    def status(self, state, after=0):
        return self.ear.wait_for(lambda m: m.topic == c.STATUS and m.json["state"] == state, 10, f"status {state}", after)

    def retained(self):
        late = self.start(Subscriber(self.broker.port, (c.STATUS,)))
        return late.wait_for(lambda m: m.retain)

    def test_is_retained_online_and_offline_after_a_stop(self):
        ship = self.run_with(c.tcp(self.server.port), mqtt={"status_topic": c.STATUS})
        self.status("online")
        self.assertEqual(self.retained().json["state"], "online")
        ship.terminate()
        self.status("offline")
        self.assertEqual(self.retained().json["state"], "offline")

    def test_the_last_will_says_offline_after_kill_9(self):
        ship = self.run_with(c.tcp(self.server.port), mqtt={"status_topic": c.STATUS})
        self.status("online")
        seen = self.ear.count()
        ship.kill_9()
        self.status("offline", after=seen)
        self.assertEqual(self.retained().json["state"], "offline")

    def test_has_a_default_topic_with_the_device_id(self):
        self.run_with(c.tcp(self.server.port))
        self.ear.wait_for(lambda m: m.topic == "lightship/testsite/status" and m.json["state"] == "online")


class ASilentDevice(PollTest):
    def bad(self, after=0, within=15):
        return self.ear.wait_for(lambda m: m.topic == "site/main/meter" and m.json["quality"] == "bad"
                                 and not m.json["measurements"]["online"], within, "a message of a silent device", after)

    def check_nulls(self, message, reason):
        values = dict(message.json["measurements"])
        self.assertIs(values.pop("online"), False)
        self.assertEqual(set(values.values()), {None})
        self.assertEqual(message.json["errors"], {name: reason for name in values})

    def test_sends_nulls_with_the_reason_at_each_interval_and_recovers(self):
        server = self.start(modbus.libmodbus_tcp())
        self.run_with(c.tcp(server.port, c.client(poll_interval=0.3, mqtt_interval=0.3), timeout=0.2, retries=0))
        self.first_good()
        server.silent()
        seen = self.ear.count()
        first = self.bad(seen)
        self.check_nulls(first, "timeout")
        self.bad(self.ear.count())
        server.silent(False)
        self.first_good(after=self.ear.count(), within=30)
        numbers = sequences(self.ear.snapshot("site/main/meter"))
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_that_never_answered_sends_too(self):
        port = free_port()
        self.run_with(c.tcp(port, timeout=0.2, retries=0))
        message = self.bad()
        self.assertEqual(list(message.json)[:len(MEMBERS)], MEMBERS)
        self.assertEqual(message.json["sequence"], self.ear.snapshot("site/main/meter").index(message) + 1)
        server = self.start(modbus.libmodbus_tcp(port=port))
        self.first_good(within=30)
        server.kill()
        self.bad(self.ear.count())

    def test_does_not_hold_up_another_one(self):
        good, dead = self.start(modbus.libmodbus_tcp()), self.start(modbus.libmodbus_tcp())
        dead.silent()
        self.run_with(c.tcp(good.port), c.tcp(dead.port, name="second"))
        times = [m.at for m in self.ear.wait_for_count("site/main/meter", 20)]
        self.assertLess(max(b - a for a, b in zip(times[2:], times[3:])), 0.5)
        self.ear.wait_for(lambda m: m.topic == "site/second/meter" and m.json["quality"] == "bad")


class SequencesOverRestarts(PollTest):
    def setUp(self):
        super().setUp()
        self.server = self.start(modbus.libmodbus_tcp())

    def numbers(self):
        return sequences(self.ear.snapshot("site/main/meter"))

    def check(self, end):
        ship = self.run_with(c.tcp(self.server.port))
        for _ in range(3):
            self.ear.wait_for_count("site/main/meter", len(self.numbers()) + 5)
            end(ship)
            ship.start_again()
        self.ear.wait_for_count("site/main/meter", len(self.numbers()) + 5)
        first_seen = list(dict.fromkeys(self.numbers()))         # at least once: a number may come twice
        self.assertEqual(first_seen, sorted(first_seen))
        gaps = [(a, b) for a, b in zip(first_seen, first_seen[1:]) if b != a + 1]
        self.assertEqual(gaps, [])
        bodies = {}
        for m in self.ear.snapshot("site/main/meter"):
            bodies.setdefault(m.json["sequence"], set()).add(m.json["timestamp"])
        self.assertEqual({n: b for n, b in bodies.items() if len(b) > 1}, {}, "a number was given to two messages")

    def test_a_clean_stop_leaves_no_gap(self):
        self.check(lambda ship: ship.terminate())

    def test_kill_9_neither_leaves_a_gap_nor_gives_a_number_twice(self):
        self.check(lambda ship: ship.kill_9())


class Counters(PollTest):
    """Wrap, reset and great numbers go through as they are."""

    def test_values_follow_the_device(self):
        server = self.start(modbus.libmodbus_tcp())
        self.run_with(c.tcp(server.port, c.client(points={"energy": {"address": 0, "data_type": "uint32", "unit": "Wh"}})))
        for value in (4294967295, 0, 5):
            server.set("holding", 0, *modbus.words(">I", value))
            self.ear.wait_for(lambda m, v=value: m.topic == "site/main/meter" and m.json["measurements"]["energy"] == v)
