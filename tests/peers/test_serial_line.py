"""A serial line as it is: bytes take their time, frames come torn, late, damaged, glued, and adapters are pulled."""
import statistics
import time

from support import (Lightship, Mosquitto, PacedLine, Subscriber, TestCase, configuration as c, eventually, lightship, lines,
                     modbus)

TOPIC = "site/line/meter"


class LineTest(TestCase):
    """One libmodbus meter, unit 1, on a line of 9600 baud; what is polled is published each time."""

    def setUp(self):
        super().setUp()
        self.broker = self.start(Mosquitto())
        self.ear = self.start(Subscriber(self.broker.port))

    def lay(self, server=True, **how):
        self.line = self.start(PacedLine(**how))
        if server:
            self.meter = self.start(modbus.libmodbus_rtu(self.line.device_paths[0], baud=how.get("baud", 9600) or 9600))
        return self.line

    def run_with(self, *connections):
        return self.start(Lightship(slave_config=c.slaves(*connections), communication=c.communication(c.mqtt(self.broker.port))))

    def good(self, topic=TOPIC, after=0, within=15):
        return self.ear.wait_for(lambda m: m.topic == topic and m.json["quality"] == "good", within, f"a good {topic}", after)

    def expected(self, points):
        read = {name: modbus.mapped(p.get("function", 3), p["address"], 1)[0] for name, p in points.items()}
        return read | {"online": True}

    def check_values(self, points, topic=TOPIC, allow_null=False):
        """Every value that ever arrived is the device's own."""
        want = self.expected(points)
        for m in self.ear.snapshot(topic):
            for name, value in m.json["measurements"].items():
                if name != "online" and not (allow_null and value is None):
                    self.assertEqual(value, want[name], f"{name} in {m.json}")

    def await_good(self, count, topic=TOPIC, within=30):
        seen = self.ear.count()
        eventually(lambda: sum(1 for m in self.ear.snapshot()[seen:] if m.topic == topic and m.json["quality"] == "good") >= count,
                   within, f"{count} more good messages")


class PacedBytes(LineTest):
    def check(self, baud, bits=10, **connection):
        self.lay(baud=baud, bits=bits, turnaround=0.01)
        points = c.registers(10)
        self.run_with(c.serial(self.line.master_path, c.client(points=points, poll_interval=0.5, mqtt_interval=0.5), baud_rate=baud,
                               **connection))
        self.ear.wait_for_count(TOPIC, 6)
        messages = self.ear.snapshot(TOPIC)
        self.assertEqual([m.json["quality"] for m in messages[1:]], ["good"] * (len(messages) - 1))
        self.check_values(points, allow_null=True)
        polls = [at for at, _ in self.line.requests]
        gaps = [b - a for a, b in zip(polls[1:], polls[2:])]
        self.assertAlmostEqual(statistics.mean(gaps), 0.5, delta=0.03, msg=gaps)
        return messages

    def test_at_1200_baud(self):
        messages = self.check(1200, timeout=1)
        self.assertGreater(messages[-1].json["poll_ms"], 270)            # 33 characters of 8.3 ms

    def test_at_9600_baud(self):
        messages = self.check(9600)
        self.assertGreaterEqual(messages[-1].json["poll_ms"], 34)
        self.assertLess(messages[-1].json["poll_ms"], 90)

    def test_at_115200_baud(self):
        self.check(115200)

    def test_a_frame_of_125_registers(self):
        self.lay(baud=19200)
        points = c.registers(125)
        self.run_with(c.serial(self.line.master_path, c.client(points=points), baud_rate=19200))
        message = self.good()
        self.assertEqual(message.json["measurements"], self.expected(points))

    def test_silence_is_kept_between_an_answer_and_the_next_request(self):
        # Two blocks, so that requests follow each other. 3.5 characters at 9600 baud are 3.6 ms.
        self.lay(baud=9600)
        points = c.registers(3) | {"far": {"address": 200, "data_type": "uint16"}, "input": {"address": 0, "function": 4,
                                                                                          "data_type": "uint16"}}
        self.run_with(c.serial(self.line.master_path, c.client(points=points)))
        self.good()
        self.await_good(5)
        character = 10 / 9600
        answers = [(began, end) for (began, _), end in zip(self.line.answers, self.line.ends)]
        for at, _ in list(self.line.requests)[1:]:
            before = [end for began, end in answers if began < at]
            if before:
                self.assertGreater(at - before[-1], 3.4 * character)


class TornAndLate(LineTest):
    def test_answers_in_two_pieces(self):
        self.lay()
        self.line.every_answer = lines.torn(4, 0.05)
        points = c.registers(10)
        self.run_with(c.serial(self.line.master_path, c.client(points=points)))
        self.good()
        self.await_good(5)
        self.check_values(points, allow_null=True)

    def test_answers_torn_everywhere(self):
        self.lay(baud=38400)
        points = c.registers(10)
        for at in range(1, 25):
            self.line.next_answers(lines.torn(at, 0.02))
        self.run_with(c.serial(self.line.master_path, c.client(points=points), baud_rate=38400))
        eventually(lambda: self.line.faults_left() == 0, 20, "24 torn answers")
        self.await_good(1)
        self.assertEqual([m.json["quality"] for m in self.ear.snapshot(TOPIC)[1:] if m.json["quality"] != "good"], [])

    def test_a_slow_device_is_waited_for(self):
        self.lay(turnaround=0.3)
        points = c.registers(5)
        self.run_with(c.serial(self.line.master_path, c.client(points=points, poll_interval=0.6, mqtt_interval=0.6), timeout=1))
        self.good()
        self.await_good(4)
        self.check_values(points, allow_null=True)

    def test_a_late_answer_is_never_given_to_another_request(self):
        # Different blocks of one meter, and every second answer comes after the time-out.
        self.lay()
        points = c.registers(4) | {f"far{i}": {"address": 200 + i, "data_type": "uint16"} for i in range(7)}
        self.run_with(c.serial(self.line.master_path, c.client(points=points, poll_interval=0.3, mqtt_interval=0.3), timeout=0.3,
                               retries=1))
        self.good()
        for _ in range(6):
            self.line.next_answers(lines.delayed(0.4), None)
        eventually(lambda: self.line.faults_left() == 0, 40, "six late answers")
        self.await_good(2, within=40)
        self.check_values(points, allow_null=True)

    def test_a_late_answer_of_one_unit_is_not_anothers(self):
        line = self.lay(server=False, devices=2)
        for unit, path in enumerate(line.device_paths, 1):
            self.start(modbus.pymodbus_server("rtu", tty=path, unit=unit)).set("holding", 0, *[unit * 1000] * 10)
        self.run_with(c.serial(line.master_path, c.client("one", 1, poll_interval=0.4, mqtt_interval=0.4),
                               c.client("two", 2, poll_interval=0.4, mqtt_interval=0.4), timeout=0.25, retries=0))
        self.good("site/line/one")
        self.good("site/line/two")
        for _ in range(6):
            line.next_answers(lines.delayed(0.3), None, None)
        eventually(lambda: line.faults_left() == 0, 40, "six late answers")
        for name, value in (("one", 1000), ("two", 2000)):
            for m in self.ear.snapshot(f"site/line/{name}"):
                values = {v for k, v in m.json["measurements"].items() if k != "online"}
                self.assertLessEqual(values, {value, None}, m.json)


class Damage(LineTest):
    def check_survives(self, fault, every=3, points=None):
        self.lay()
        points = points or c.registers(10)
        self.run_with(c.serial(self.line.master_path, c.client(points=points), retries=2))
        self.good()
        seen = len(self.ear.snapshot(TOPIC))
        for _ in range(5):
            self.line.next_answers(fault, *[None] * (every - 1))
        eventually(lambda: self.line.faults_left() == 0, 40, "all faults")
        self.await_good(2)
        self.check_values(points, allow_null=True)
        return self.ear.snapshot(TOPIC)[seen:]

    def test_a_damaged_answer_is_asked_for_again(self):
        messages = self.check_survives(lines.corrupted(6))
        self.assertEqual({m.json["quality"] for m in messages}, {"good"})

    def test_a_swallowed_answer_is_asked_for_again(self):
        self.check_survives(lines.swallowed(), every=4)

    def test_noise_before_an_answer(self):
        messages = self.check_survives(lines.preceded_by(b"\x00\xff"))
        self.assertEqual({m.json["quality"] for m in messages}, {"good"})

    def test_a_frame_of_another_unit_before_the_answer(self):
        foreign = modbus.rtu(9, bytes([3, 20]) + bytes(range(20)))
        messages = self.check_survives(lines.preceded_by(foreign))
        self.assertEqual({m.json["quality"] for m in messages}, {"good"})

    def test_an_answer_of_another_function_before_the_answer(self):
        self.check_survives(lines.preceded_by(modbus.rtu(1, bytes([4, 20]) + bytes(20))))

    def test_a_second_answer_glued_to_the_first_is_not_kept_for_the_next_request(self):
        # As two meters with one address do. Taken for the next answer it would be right in every byte but the values.
        glued = modbus.rtu(1, bytes([3, 20]) + b"\xde\xad" * 10)
        messages = self.check_survives(lines.followed_by(glued), every=2)
        self.assertEqual({m.json["quality"] for m in messages}, {"good"})

    def test_an_answer_of_the_wrong_length_is_not_taken(self):
        self.check_survives(lines.replaced_by(modbus.rtu(1, bytes([3, 4]) + b"\xde\xad" * 2)))

    def test_bytes_that_nobody_asked_for_between_polls(self):
        self.lay()
        points = c.registers(10)
        self.run_with(c.serial(self.line.master_path, c.client(points=points, poll_interval=0.4, mqtt_interval=0.4)))
        self.good()
        for junk in (b"\x00", bytes(range(50)), modbus.rtu(1, bytes([3, 20]) + b"\xde\xad" * 10), b"\xff" * 300):
            polls = len(self.line.answers)
            eventually(lambda: len(self.line.answers) > polls, 10, "a poll")
            self.line.inject(junk)
        self.await_good(3)
        self.check_values(points, allow_null=True)

    def test_nothing_but_damaged_answers_are_crc_errors(self):
        self.lay()
        self.line.every_answer = lines.corrupted(6)
        self.run_with(c.serial(self.line.master_path, timeout=0.3, retries=0))
        message = self.ear.wait_for(lambda m: m.topic == TOPIC and m.json["quality"] == "bad" and "crc" in str(m.json["errors"]), 15)
        self.assertEqual(set(message.json["errors"].values()), {"crc"})
        self.line.every_answer = None
        self.good(within=40)

    def test_an_echo_is_passed_over(self):
        self.lay(echo=True)
        points = c.registers(10)
        self.run_with(c.serial(self.line.master_path, c.client(points=points), rs485={"echo": True}))
        self.good()
        self.await_good(5)
        self.check_values(points, allow_null=True)


class TwoMetersOnOneLine(LineTest):
    def test_both_are_read(self):
        line = self.lay(server=False, devices=2)
        for unit, path in enumerate(line.device_paths, 1):
            self.start(modbus.pymodbus_server("rtu", tty=path, unit=unit)).set("holding", 0, *[unit * 1000] * 10)
        self.run_with(c.serial(line.master_path, c.client("one", 1), c.client("two", 2)))
        for name, value in (("one", 1000), ("two", 2000)):
            self.assertEqual(set(self.good(f"site/line/{name}").json["measurements"].values()), {value, True})

    def test_the_good_one_keeps_its_interval_beside_a_dead_one(self):
        # With the time-out and the retries of the original a dead meter would hold the line for 12 s each poll.
        line = self.lay(server=False, devices=1)
        self.start(modbus.pymodbus_server("rtu", tty=line.device_paths[0], unit=1))
        self.run_with(c.serial(line.master_path, c.client("meter", 1, poll_interval=1, mqtt_interval=1),
                               c.client("dead", 2, poll_interval=1, mqtt_interval=1), timeout=3, retries=3))
        self.good(within=30)
        self.ear.wait_for(lambda m: m.topic == "site/line/dead" and m.json["quality"] == "bad", 30)

        def polls():
            return [at for at, frame in line.requests if frame[0] == 1]
        seen, dead_seen = len(polls()), sum(1 for _, frame in line.requests if frame[0] == 2)
        eventually(lambda: len(polls()) >= seen + 15, 40, "15 polls of the good one")
        gaps = [b - a for a, b in zip(polls()[seen:], polls()[seen + 1:])]
        self.assertLess(max(gaps), 1.5, gaps)
        self.assertAlmostEqual(statistics.mean(gaps), 1.0, delta=0.1, msg=gaps)
        # Probes together take at most a fortieth of the line's time: one of a second comes every 40 s.
        eventually(lambda: sum(1 for _, frame in line.requests if frame[0] == 2) > dead_seen, 60, "the dead one is asked now and then")

    def test_a_dead_one_that_comes_back_is_read_again(self):
        line = self.lay(server=False, devices=2)
        self.start(modbus.pymodbus_server("rtu", tty=line.device_paths[0], unit=1))
        sleeper = self.start(modbus.pymodbus_server("rtu", tty=line.device_paths[1], unit=2))
        self.run_with(c.serial(line.master_path, c.client("one", 1), c.client("two", 2), timeout=0.4, retries=0))
        self.good("site/line/two")
        sleeper.silent()
        self.ear.wait_for(lambda m: m.topic == "site/line/two" and m.json["quality"] == "bad", 20, after=self.ear.count())
        sleeper.silent(False)
        self.good("site/line/two", after=self.ear.count(), within=60)


class TheAdapterIsPulled(LineTest):
    def test_and_comes_back_under_another_name(self):
        link = self.folder / "usb-adapter-if00"
        self.lay(by_id=link)
        ship = self.run_with(c.serial(link, c.client()))
        self.good()
        before = link.resolve()
        self.line.unplug()
        self.ear.wait_for(lambda m: m.topic == TOPIC and m.json["quality"] == "bad", 20, "a bad message", self.ear.count())
        self.assertTrue(ship.running())
        self.line.plug()
        self.assertNotEqual(link.resolve(), before)
        self.good(after=self.ear.count(), within=40)

    def test_three_times(self):
        link = self.folder / "usb-adapter-if00"
        self.lay(by_id=link)
        self.run_with(c.serial(link, c.client()))
        for _ in range(3):
            self.good(after=self.ear.count(), within=40)
            self.line.unplug()
            time.sleep(0.05)                             # not a wait for anything: a hand needs some time too
            self.line.plug()
        self.good(after=self.ear.count(), within=40)
        numbers = [m.json["sequence"] for m in self.ear.snapshot(TOPIC)]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_a_port_that_is_not_there_at_the_start(self):
        link = self.folder / "usb-adapter-if00"
        self.lay(by_id=link)
        self.line.unplug()
        self.run_with(c.serial(link, c.client()))
        self.ear.wait_for(lambda m: m.topic == TOPIC and m.json["quality"] == "bad", 20)
        self.line.plug()
        self.good(within=40)


class TheCommandBesideTheGateway(LineTest):
    def test_reading_by_hand_does_not_disturb_the_polls(self):
        self.lay()
        points = c.registers(10)
        self.run_with(c.serial(self.line.master_path, c.client(points=points)))
        self.good()
        seen = len(self.ear.snapshot(TOPIC))
        done = lightship("read", "--url", f"rtu://{self.line.master_path}?baud=9600", "--unit", 1, "--fn", "holding", "--at", 0,
                         "--count", 2, "--timeout", "0.5", "--json")
        self.assertIn(done.status, (0, 69), done)        # through the gateway, or refused because the port is taken
        self.await_good(3)
        self.assertEqual({m.json["quality"] for m in self.ear.snapshot(TOPIC)[seen:]}, {"good"})
        self.check_values(points, allow_null=True)
