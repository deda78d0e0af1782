"""`lightship scan` on lines and networks of devices that others wrote."""
import os
import pty
import re
import signal
import threading
import time

import yaml

from support import Lightship, PacedLine, Process, TestCase, configuration as c, free_port, lightship, lightship_binary, modbus

QUICK = ("--listen", "0")


def scan(url, *more, within=90):
    return lightship("scan", "--url", url, *more, "--json", within=within)


def reads(pdu):
    """The data map to functions 1 to 4, exception 1 to everything else."""
    return modbus.serve_data_map(pdu) if pdu[0] <= 4 else 0x01


class ScanTest(TestCase):
    def units(self, done):
        return [u["unit"] for u in done.json["units"]]

    def no_writes(self, requests):
        """Nothing but reads went over the line: 3, 4, 17 and 43."""
        self.assertLessEqual({frame[1] for _, frame in requests}, {1, 2, 3, 4, 17, 43})


class OnASerialLine(ScanTest):
    def lay(self, devices, baud=19200, **how):
        self.line = self.start(PacedLine(baud=baud, devices=devices, shared=True, **how))
        return self.line

    def meter(self, which, unit, peer=modbus.libmodbus_rtu):
        path = self.line.device_paths[which]
        if peer is modbus.libmodbus_rtu:
            return self.start(peer(path, baud=19200, unit=unit))
        return self.start(modbus.pymodbus_server("rtu", tty=path, baud=19200, unit=unit))

    def test_finds_the_units_of_two_makers_and_nobody_else(self):
        self.lay(3)
        self.meter(0, 3)
        self.meter(1, 17)
        self.meter(2, 6, modbus.pymodbus_server)
        done = scan(f"rtu://{self.line.master_path}?baud=19200", *QUICK, "--units", "1-20")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(self.units(done), [3, 6, 17])
        self.assertEqual(list(done.json), ["url", "settings", "units", "duration_ms"])
        self.assertEqual(done.json["settings"], {"baud_rate": 19200, "parity": "N", "data_bits": 8, "stop_bits": 1})
        self.assertTrue(all(u["answer_ms"] < 300 for u in done.json["units"]), done)
        self.no_writes(self.line.requests)

    def test_one_whose_answers_were_lost_is_asked_once_more_at_the_end(self):
        self.lay(2)
        self.meter(0, 2)
        self.meter(1, 9)
        lost = [0]

        def first_two_of_unit_2(frame):
            if frame[0] != 2 or lost[0] == 2:
                return [(0, frame)]
            lost[0] += 1
            return []
        self.line.every_answer = first_two_of_unit_2
        done = scan(f"rtu://{self.line.master_path}?baud=19200", *QUICK, "--units", "1-9")
        self.assertEqual((lost[0], self.units(done)), (2, [2, 9]), done)
        self.assertIn("that said nothing once more", done.err)

    def test_the_time_left_is_that_of_what_is_planned(self):
        self.lay(1)
        done = scan(f"rtu://{self.line.master_path}?baud=19200", *QUICK, "--units", "1-20")
        left = [float(text) for text in re.findall(r"\(\d+ of 20\), 0 found, about ([\d.]+) s left", done.err)]
        self.assertGreater(len(left), 5, done.err)
        self.assertEqual(left, sorted(left, reverse=True), done.err)
        self.assertTrue(22 < left[0] < 26, left)                 # 20 units, two questions of 0.3 s each, twice
        self.no_writes(self.line.requests)

    def test_an_exception_is_an_answer(self):
        self.lay(1)
        self.meter(0, 5).exception(4)
        done = scan(f"rtu://{self.line.master_path}?baud=19200", *QUICK, "--units", "4-6")
        self.assertEqual(self.units(done), [5])
        self.assertIn("exception 4", done.json["units"][0]["answered"])

    def test_a_slow_device_is_found_as_well(self):
        self.lay(2)
        self.meter(0, 2)
        self.meter(1, 4)
        slow = lambda frame: [(0.6 if frame[0] == 4 else 0, frame)]
        self.line.every_answer = slow
        done = scan(f"rtu://{self.line.master_path}?baud=19200", *QUICK, "--units", "1-8")
        self.assertEqual(self.units(done), [2, 4])

    def test_two_devices_with_one_unit_id_are_told(self):
        self.lay(1)
        self.meter(0, 9)
        self.line.every_answer = lambda frame: [(0, bytes(a ^ b for a, b in zip(frame, frame[1:] + b"\x55")))]
        done = scan(f"rtu://{self.line.master_path}?baud=19200", *QUICK, "--units", "8-10")
        self.assertEqual(done.status, 0, done)
        self.assertEqual([(u["unit"], u["collision"], u["answer_ms"]) for u in done.json["units"]], [(9, True, None)])

    def test_finds_the_rate_where_the_url_gives_none(self):
        # A pseudo-terminal carries bytes at any rate: the first setting is the right one.
        self.lay(1, baud=None)
        self.meter(0, 7)
        done = scan(f"rtu://{self.line.master_path}", "--listen", "500ms", "--units", "1-9")
        self.assertEqual(done.json["settings"]["baud_rate"], 9600, done)
        self.assertEqual(self.units(done), [7])
        self.assertIn("found 9600 8N1: unit 7 answers", done.err)

    def test_will_not_talk_into_another_masters_line(self):
        line = self.lay(1)
        self.meter(0, 1)
        inject = threading.Event()

        def another_master():
            while not inject.wait(0.1):
                line.inject(modbus.rtu(33, modbus.read_pdu(3, 0, 2)))
        other = threading.Thread(target=another_master, daemon=True)
        other.start()
        try:
            done = scan(f"rtu://{line.master_path}?baud=19200", "--listen", "1s", "--units", "1-3")
            self.assertEqual(done.status, 69, done)
            self.assertIn("another master asks on this line", done.err)
            self.assertEqual(line.requests, [])
            forced = scan(f"rtu://{line.master_path}?baud=19200", "--listen", "1s", "--units", "1-3", "--force")
            self.assertGreater(len(line.requests), 0)
            self.assertIn(1, self.units(forced), forced)
        finally:
            inject.set()
            other.join()

    def test_nobody_is_69(self):
        self.lay(1)
        done = scan(f"rtu://{self.line.master_path}?baud=19200", *QUICK, "--units", "1-3")
        self.assertEqual((done.status, done.json["units"]), (69, []), done)

    def test_ascii(self):
        line = self.lay(1, ascii=True)
        self.start(modbus.pymodbus_server("ascii", tty=line.device_paths[0], baud=19200, unit=4))
        done = scan(f"ascii://{line.master_path}?baud=19200", *QUICK, "--units", "3-5")
        self.assertEqual(self.units(done), [4], done)

    def test_a_signal_ends_it_with_what_was_found(self):
        self.lay(1)
        self.meter(0, 2)
        scanning = self.start(Process([lightship_binary(), "scan", "--url", f"rtu://{self.line.master_path}?baud=19200", *QUICK,
                                       "--json"], name="scan"))
        scanning.wait_for_line("unit 2 answers")
        scanning.send_signal(signal.SIGINT)
        self.assertEqual(scanning.wait(5), 0)
        self.assertIn('"unit":2', scanning.text("out"))

    def test_a_port_that_the_gateway_holds_is_told_with_what_to_do(self):
        ours, device = pty.openpty()
        self.addCleanup(os.close, ours)
        path = os.ttyname(device)
        gateway = self.start(Lightship(slave_config=c.slaves(c.serial(path, c.client(points=c.registers(1))))))
        os.close(device)
        done = scan(f"rtu://{path}", *QUICK)
        self.assertEqual(done.status, 69, done)
        self.assertIn(f"pid {gateway.pid}", done.err)
        self.assertIn("running gateway: stop it", done.err)


class OverANetwork(ScanTest):
    def test_a_gateway_says_who_is_not_there(self):
        def behind(unit, pdu):
            return reads(pdu) if unit in (2, 40) else 0x0B
        device = self.start(modbus.ScriptedDevice(behind))
        began = time.monotonic()
        done = scan(f"tcp://127.0.0.1:{device.port}")
        self.assertEqual(self.units(done), [2, 40], done)
        self.assertLess(time.monotonic() - began, 10)              # 247 time-outs would be minutes
        self.assertEqual({unit for _, unit, _ in device.heard} >= set(range(1, 248)), True)

    def test_a_device_that_looks_at_no_unit_id_is_found_once(self):
        device = self.start(modbus.ScriptedDevice(lambda unit, pdu: reads(pdu)))
        done = scan(f"tcp://127.0.0.1:{device.port}")
        self.assertEqual([(u["unit"], u["every_unit"]) for u in done.json["units"]], [(1, True)], done)
        self.assertLess(len(device.heard), 300)

    def test_udp_and_rtu_over_tcp(self):
        udp = self.start(modbus.pymodbus_server("udp"))
        done = scan(f"udp://127.0.0.1:{udp.port}", "--units", "1-3")
        self.assertEqual(self.units(done)[:1], [1], done)
        stream = self.start(modbus.pymodbus_server("rtu_over_tcp", unit=3))
        done = scan(f"rtu+tcp://127.0.0.1:{stream.port}", "--units", "2-4", "--timeout", "300ms")
        self.assertEqual(self.units(done), [3], done)

    def test_a_device_that_hangs_up_on_strangers(self):
        device = self.start(modbus.ScriptedDevice(lambda unit, pdu: reads(pdu) if unit == 2 else None))
        done = scan(f"tcp://127.0.0.1:{device.port}", "--units", "1-3", "--timeout", "200ms")
        self.assertEqual(self.units(done), [2], done)

    def test_nobody_listens(self):
        done = scan(f"tcp://127.0.0.1:{free_port()}", "--units", "1-3")
        self.assertEqual(done.status, 69, done)

    def test_what_it_says_it_is(self):
        server = self.start(modbus.pymodbus_server())
        done = scan(f"tcp://127.0.0.1:{server.port}", "--units", "1")
        self.assertEqual(self.units(done), [1], done)
        self.assertEqual(done.json["units"][0]["identity"], {"server_id": "Pymodbus"}, done)


class WhatTheyAre(ScanTest):
    def test_a_meter_is_known_by_its_fingerprint(self):
        """An ABB B23 says so in two registers; what follows is what the meter file knows of it."""
        def abb(unit, pdu):
            if pdu[0] == 3 and pdu[1:5] == bytes.fromhex("89600002"):
                return bytes.fromhex("030442323320")
            return 0x02 if pdu[0] in (3, 4) else 0x01
        device = self.start(modbus.ScriptedDevice(lambda unit, pdu: abb(unit, pdu) if unit == 1 else 0x0B))
        done = scan(f"tcp://127.0.0.1:{device.port}", "--units", "1-3")
        self.assertEqual(self.units(done), [1], done)
        best = done.json["units"][0]["candidates"][0]
        self.assertEqual(sorted(best), ["certainty", "evidence", "meter_model", "name"])
        self.assertEqual((best["meter_model"], best["certainty"]), ("abb_b23", "certain"), best)


class ForPeople(ScanTest):
    def test_a_table_and_a_piece_of_configuration_that_is_right(self):
        server = self.start(modbus.libmodbus_tcp())
        done = lightship("scan", "--url", f"tcp://127.0.0.1:{server.port}", "--units", "1", "--yaml")
        self.assertEqual(done.status, 0, done)
        self.assertIn("meter_model", done.out)
        configuration = yaml.safe_load(done.out[done.out.index("connections:"):])
        self.assertEqual(configuration["connections"][0]["port"], server.port)
        self.assertEqual(configuration["connections"][0]["clients"][0]["unit_id"], 1)

    def test_wrong_usage(self):
        for url, units, why in (("rtu:///dev/ttyX", "0-3", "unit 0"), ("tcp://127.0.0.1", "5-2", "no range"),
                                ("tcp://127.0.0.1", "1-300", "0 to 255"), ("mms://127.0.0.1", "1", "mms")):
            with self.subTest(url=url, units=units):
                done = scan(url, "--units", units)
                self.assertEqual(done.status, 64, done)
                self.assertIn(why, done.err)
