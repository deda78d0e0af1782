"""`lightship read` against Modbus servers that others wrote."""
import json
import socket
import struct
import threading

import yaml

from support import PacedLine, TestCase, configuration as c, free_port, lightship, lightship_binary, lines, modbus

READS = [("coil", 1, 0, 40), ("discrete", 2, 3, 9), ("holding", 3, 0, 125), ("input", 4, 100, 20), ("holding", 3, 299, 1)]


def read(url, function="holding", at=0, count=10, *more, unit=1):
    return lightship("read", "--url", url, "--unit", unit, "--fn", function, "--at", at, "--count", count, *more, "--json")


class ReadTest(TestCase):
    def setUp(self):
        super().setUp()
        lightship_binary()

    def check_data_map(self, url, reads=READS, *more):
        for name, function, at, count in reads:
            with self.subTest(function=name, at=at, count=count):
                done = read(url, name, at, count, *more)
                self.assertEqual(done.status, 0, done)
                want = modbus.mapped(function, at, count)
                if function <= 2:
                    self.assertEqual(done.json["bits"], want, done)
                else:
                    self.assertEqual(done.json["registers"], [f"{v:04x}" for v in want], done)
                    self.assertEqual(done.json["values"], want, done)


class EveryTransport(ReadTest):
    def test_tcp_from_libmodbus(self):
        self.check_data_map(f"tcp://127.0.0.1:{self.start(modbus.libmodbus_tcp()).port}")

    def test_tcp_from_pymodbus(self):
        self.check_data_map(f"tcp://127.0.0.1:{self.start(modbus.pymodbus_server()).port}")

    def test_tcp_from_modbus_serial(self):
        self.check_data_map(f"tcp://127.0.0.1:{self.start(modbus.modbus_serial_tcp()).port}")

    def test_tcp_by_host_name(self):
        self.check_data_map(f"tcp://localhost:{self.start(modbus.libmodbus_tcp()).port}", READS[:1])

    def test_udp_from_pymodbus(self):
        self.check_data_map(f"udp://127.0.0.1:{self.start(modbus.pymodbus_server('udp')).port}")

    def test_rtu_over_tcp_from_pymodbus(self):
        self.check_data_map(f"rtu+tcp://127.0.0.1:{self.start(modbus.pymodbus_server('rtu_over_tcp')).port}")

    def test_rtu_from_libmodbus(self):
        line = self.start(PacedLine(baud=9600))
        self.start(modbus.libmodbus_rtu(line.device_paths[0]))
        self.check_data_map(f"rtu://{line.master_path}?baud=9600&parity=N&stop=1&data=8")

    def test_rtu_from_pymodbus(self):
        line = self.start(PacedLine(baud=19200))
        self.start(modbus.pymodbus_server("rtu", tty=line.device_paths[0], baud=19200, unit=1))
        self.check_data_map(f"rtu://{line.master_path}?baud=19200")

    def test_rtu_at_115200_with_even_parity(self):
        line = self.start(PacedLine(baud=115200, bits=11))
        self.start(modbus.libmodbus_rtu(line.device_paths[0], baud=115200, parity="E"))
        self.check_data_map(f"rtu://{line.master_path}?baud=115200&parity=E")

    def test_ascii_from_pymodbus(self):
        line = self.start(PacedLine(baud=19200, ascii=True))
        self.start(modbus.pymodbus_server("ascii", tty=line.device_paths[0], baud=19200, unit=1))
        self.check_data_map(f"ascii://{line.master_path}?baud=19200&data=8", READS[:4])


class TheAnswer(ReadTest):
    def setUp(self):
        super().setUp()
        self.server = self.start(modbus.libmodbus_tcp())
        self.url = f"tcp://127.0.0.1:{self.server.port}"

    def test_registers_have_exactly_these_members(self):
        answer = read(self.url, "holding", 4, 2).json
        self.assertEqual(list(answer), ["unit", "function", "address", "registers", "values", "duration_ms"])
        self.assertEqual((answer["unit"], answer["function"], answer["address"]), (1, 3, 4))
        self.assertGreaterEqual(answer["duration_ms"], 0)

    def test_bits_have_exactly_these_members(self):
        answer = read(self.url, "coil", 0, 3).json
        self.assertEqual(list(answer), ["unit", "function", "address", "bits", "values", "duration_ms"])
        self.assertEqual(answer["function"], 1)

    def test_is_one_line(self):
        self.assertEqual(read(self.url).out.count("\n"), 1)

    def test_without_json_it_is_for_people(self):
        done = lightship("read", "--url", self.url, "--unit", 1, "--fn", "holding", "--at", 0, "--count", 3)
        self.assertEqual(done.status, 0, done)
        self.assertIn("4096", done.out)
        self.assertRaises(ValueError, json.loads, done.out)


class TypesAndOrders(ReadTest):
    def setUp(self):
        super().setUp()
        self.server = self.start(modbus.libmodbus_tcp())
        self.url = f"tcp://127.0.0.1:{self.server.port}"

    def check(self, words, kind, order, values, text=None):
        self.server.set("holding", 50, *words)
        more = ["--order", order] if order else []
        done = read(self.url, "holding", 50, len(words), "--type", kind, *more)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.json["values"], values, done)
        if text:
            self.assertIn(text, done.out)

    def test_float32_in_its_four_orders(self):
        for order in ("ABCD", "CDAB", "BADC", "DCBA"):
            with self.subTest(order=order):
                self.check(modbus.words(">f", 230.25, order), "float32", order, [230.25])

    def test_order_by_name(self):
        for name, order in (("big", "ABCD"), ("little", "DCBA"), ("big_swap", "BADC"), ("little_swap", "CDAB")):
            with self.subTest(order=name):
                self.check(modbus.words(">f", 230.25, order), "float32", name, [230.25])

    def test_several_values_of_one_read(self):
        self.check(modbus.words(">f", 1.5) + modbus.words(">f", -2.25), "float32", "ABCD", [1.5, -2.25])

    def test_float32_is_the_shortest_decimal(self):
        self.check(modbus.words(">f", 230.1), "float32", "ABCD", [230.1], "230.1]")

    def test_float64(self):
        self.check(modbus.words(">d", 123456.789), "float64", None, [123456.789])

    def test_int16_below_zero(self):
        self.check([0xFFFE, 0x8000], "int16", None, [-2, -32768])

    def test_int32_in_word_order(self):
        self.check(modbus.words(">i", -123456789, "CDAB"), "int32", "CDAB", [-123456789])

    def test_64_bit_integers_keep_all_digits(self):
        self.check(modbus.words(">Q", 2**64 - 1), "uint64", None, [2**64 - 1], "18446744073709551615")
        self.check(modbus.words(">q", -2**63), "int64", None, [-2**63], "-9223372036854775808")

    def test_bcd(self):
        self.check([0x1234], "bcd16", None, [1234])
        self.check([0x1234, 0x5678], "bcd32", None, [12345678])

    def test_text(self):
        self.check(list(struct.unpack(">4H", b"LIGHTSHP")), "string", None, ["LIGHTSHP"])

    def test_nan_is_null(self):
        self.check([0x7FC0, 0], "float32", None, [None])


class WhatGoesWrong(ReadTest):
    def check(self, done, status, kind, **more):
        self.assertEqual(done.status, status, done)
        error = done.json
        self.assertEqual(list(error), ["error"], done)
        self.assertEqual(error["error"]["kind"], kind, done)
        self.assertTrue(error["error"]["message"], done)
        for key, value in more.items():
            self.assertEqual(error["error"][key], value, done)

    def test_an_exception_is_exit_75_and_has_its_number(self):
        server = self.start(modbus.libmodbus_tcp())
        self.check(read(f"tcp://127.0.0.1:{server.port}", "holding", 299, 2), 75, "exception", exception=2)
        server.exception(6)
        self.check(read(f"tcp://127.0.0.1:{server.port}", "holding", 0, 2, "--timeout", "1"), 75, "exception", exception=6)

    def test_an_exception_over_rtu(self):
        line = self.start(PacedLine(baud=19200))
        self.start(modbus.libmodbus_rtu(line.device_paths[0], baud=19200))
        self.check(read(f"rtu://{line.master_path}?baud=19200", "input", 300, 1), 75, "exception", exception=2)

    def test_a_silent_device_is_a_timeout(self):
        server = self.start(modbus.libmodbus_tcp())
        server.silent()
        done = read(f"tcp://127.0.0.1:{server.port}", "holding", 0, 2, "--timeout", "0.3")
        self.check(done, 69, "timeout")
        self.assertLess(done.seconds, 3)

    def test_a_silent_line_is_a_timeout(self):
        line = self.start(PacedLine())
        self.check(read(f"rtu://{line.master_path}?baud=9600", "holding", 0, 2, "--timeout", "300ms"), 69, "timeout")

    def test_nobody_listens(self):
        self.check(read(f"tcp://127.0.0.1:{free_port()}", "holding", 0, 2, "--timeout", "1"), 69, "connect")

    def test_no_such_serial_port(self):
        self.check(read("rtu:///dev/serial/by-id/nothing-here?baud=9600", "holding", 0, 2, "--timeout", "1"), 69, "connect")

    def test_a_server_that_closes_is_no_endless_wait(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            s.settimeout(10)
            threading.Thread(target=lambda: [s.accept()[0].close() for _ in range(5)], daemon=True).start()
            done = read(f"tcp://127.0.0.1:{s.getsockname()[1]}", "holding", 0, 2, "--timeout", "0.5")
        self.assertEqual(done.status, 69, done)

    def test_damaged_answers_are_crc(self):
        line = self.start(PacedLine(baud=19200))
        self.start(modbus.libmodbus_rtu(line.device_paths[0], baud=19200))
        line.every_answer = lines.corrupted(4)
        self.check(read(f"rtu://{line.master_path}?baud=19200", "holding", 0, 2, "--timeout", "0.3"), 69, "crc")

    def test_wrong_usage_is_exit_64(self):
        for arguments in (["--unit", "1"], ["--url", "tcp://127.0.0.1:1", "--unit", "1", "--fn", "holdings", "--at", "0", "--count", "1"],
                          ["--url", "gopher://127.0.0.1", "--unit", "1", "--fn", "holding", "--at", "0", "--count", "1"],
                          ["--url", "tcp://127.0.0.1:1", "--unit", "1", "--fn", "holding", "--at", "70000", "--count", "1"]):
            with self.subTest(arguments=arguments):
                done = lightship("read", *arguments)
                self.assertEqual(done.status, 64, done)
                self.assertTrue(done.err, done)


class FromTheConfiguration(ReadTest):
    def test_reads_a_device_and_a_point_by_name(self):
        server = self.start(modbus.libmodbus_tcp())
        server.set("holding", 60, *modbus.words(">f", 49.98))
        points = {"frequency": {"address": 60, "data_type": "float32", "unit": "Hz"},
                  "raw": {"address": 0, "data_type": "uint16"}}
        (self.folder / "slave_config.yaml").write_text(yaml.safe_dump(c.slaves(c.tcp(server.port, c.client("meter-1", points=points)))))
        whole = lightship("read", "--config", self.folder, "--device", "main/meter-1", "--json")
        self.assertEqual(whole.status, 0, whole)
        self.assertIn("49.98", whole.out)
        one = lightship("read", "--config", self.folder, "--device", "meter-1", "--point", "frequency", "--json")
        self.assertEqual(one.status, 0, one)
        self.assertIn("49.98", one.out)
        self.assertNotIn("4096", one.out)
