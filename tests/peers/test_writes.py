"""Writes: by name from the command line, with the gateway running and without, and in registers by the clients of others."""
import json
import os
import socket
import stat
import statistics
import struct
import subprocess
import threading
import time
import unittest

from support import Lightship, PacedLine, TestCase, configuration as c, eventually, free_port, lightship, modbus

POINTS = {
    "setpoint": {"address": 20, "data_type": "uint16", "scale": 0.1, "writable": True, "range": [0, 90], "step": 0.5},
    "flow": {"address": 22, "data_type": "float32", "byte_order": "CDAB", "writable": True, "range": [0, 1000]},
    "free": {"address": 30, "data_type": "uint16", "writable": True},
    "closed": {"address": 31, "data_type": "uint16", "writable": False},
    "plain": {"address": 32, "data_type": "uint16"},
    "valve": {"address": 33, "data_type": "bit", "bit": 3, "writable": True},
    "relay": {"address": 5, "function": 1, "data_type": "bool", "writable": True},
    "measured": {"address": 0, "function": 4, "data_type": "uint16"},
}


def press(**more):
    return c.client("press", 1, POINTS, **{"allow_write": True, "expose_via_tcp": True, "mqtt_enabled": False, **more})


# Connects twenty times, says nothing, tells what it heard, and stays until its input ends.
STRANGER = """
import json, socket, sys
lines, kept = [], []
for _ in range(20):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(3)
    s.connect(bytes.fromhex(sys.argv[1]))
    kept.append(s)
    try:
        lines.append(s.makefile().readline())
    except OSError as why:
        lines.append(json.dumps({"error": {"text": str(why)}}))
        break
print(json.dumps(lines), flush=True)
sys.stdin.read()
"""


class WriteTest(TestCase):
    def write(self, point, value, *more, device="press"):
        return lightship("write", "--config", self.ship.config, "--data", self.ship.data, "--device", device, "--point", point,
                         "--value", value, *more)

    def audit(self):
        path = self.ship.data / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def ended(self):
        return [entry for entry in self.audit() if entry["state"] == "ended"]

    def held(self, at, count=1, function="holding"):
        """What the device holds, asked behind the gateway's back."""
        return lightship("read", "--url", f"tcp://127.0.0.1:{self.device.port}", "--fn", function, "--at", at, "--count", count,
                         "--json").json.get("bits" if function == "coil" else "values")

    def site(self, *connections, **settings):
        self.gateway_port = free_port()
        return Lightship(slave_config=c.slaves(*connections),
                         communication=c.communication(None, c.gateway(self.gateway_port, **settings)))


class Over(WriteTest):
    """The same expectations of `lightship write`, whoever has the line."""

    running = True

    def lay(self):
        self.device = self.start(modbus.pymodbus_server())
        return c.tcp(self.device.port, press(), name="hall")

    def setUp(self):
        super().setUp()
        self.ship = self.site(self.lay())
        if self.running:
            self.start(self.ship)

    def test_a_value_is_written_and_read_back(self):
        done = self.write("setpoint", "42.5", "--json")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(list(done.json), ["device", "point", "value", "before", "now", "duration_ms"])
        self.assertEqual((done.json["device"], done.json["value"], done.json["now"]), ("hall/press", 42.5, 42.5))
        self.assertEqual(done.json["before"], modbus.holding(20) / 10)
        asked, ended = self.audit()
        self.assertEqual((asked["state"], asked["event"], asked["point"], asked["new"]), ("asked", "write", "setpoint", 42.5))
        self.assertEqual((ended["outcome"], ended["function"], ended["read_back"]), ("written", 6, 42.5))
        self.assertEqual(asked["id"], ended["id"])
        self.assertIn("command line, uid", ended["by"])
        self.assertEqual(self.running, "no gateway running" not in ended["by"])
        self.assertEqual(stat.S_IMODE((self.ship.data / "audit.jsonl").stat().st_mode), 0o600)

    def test_every_kind_of_point(self):
        for point, value, shown in (("flow", "230.25", "230.25"), ("relay", "on", "true"), ("relay", "off", "false"),
                                    ("valve", "true", "true"), ("free", "65535", "65535")):
            with self.subTest(point=point, value=value):
                done = self.write(point, value)
                self.assertEqual(done.status, 0, done)
                self.assertIn(f"hall/press/{point}: {shown} was ", done.out)

    def test_what_is_refused_is_told_and_audited(self):
        for point, value, status, kind, text in (
                ("setpoint", "90.5", 64, "invalid", "90.5 is outside the range 0 to 90"),
                ("setpoint", "21.3", 64, "invalid", "not on a step of 0.5"),
                ("free", "-5", 64, "invalid", "-5 does not fit uint16"),
                ("free", "nan", 64, "invalid", "no number that can be written"),
                ("closed", "1", 78, "not_allowed", "not writable"),
                ("plain", "1", 78, "not_allowed", "not writable"),
                ("measured", "1", 64, "invalid", "function 4")):
            with self.subTest(point=point, value=value):
                done = self.write(point, value, "--json")
                self.assertEqual(done.status, status, done)
                self.assertEqual(done.json["error"]["kind"], kind, done)
                self.assertIn(text, done.json["error"]["message"])
                self.assertEqual(self.audit()[-1]["outcome"], "refused")

    def test_only_over_the_expected_value(self):
        self.assertEqual(self.write("free", "7").status, 0)
        done = self.write("free", "8", "--expect", "6", "--json")
        self.assertEqual((done.status, done.json["error"]["kind"]), (75, "not_expected"), done)
        self.assertIn("holds 7, not the expected 6", done.json["error"]["message"])
        self.assertEqual(self.write("free", "8", "--expect", "7").status, 0)

    def test_wrong_names(self):
        done = self.write("setpiont", "1")
        self.assertEqual(done.status, 64, done)
        self.assertIn("did you mean setpoint?", done.err)
        self.assertEqual(self.write("free", "1", device="pres").status, 64)


class WithTheGatewayRunning(Over):
    def test_read_goes_through_it_too(self):
        done = lightship("read", "--config", self.ship.config, "--device", "press", "--point", "free", "--json")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.json["points"]["free"]["value"], modbus.holding(30))

    def test_a_device_that_says_no_is_an_exception(self):
        self.device.exception(4)
        done = self.write("free", "1", "--json")
        self.assertEqual(done.status, 75, done)

    def test_a_second_gateway_of_the_same_directory_runs_without_a_socket(self):
        other = Lightship(config=self.ship.config, communication=c.communication(), portal={"listen": f"127.0.0.1:{free_port()}"})
        self.start(other)
        eventually(lambda: "no control socket" in other.said(), 5, "the warning")
        self.assertEqual(self.write("free", "9").status, 0)
        self.ship.terminate()
        eventually(lambda: "the control socket is ours now" in other.said(), 15, "the socket taken over")
        self.assertEqual(self.write("free", "7").status, 0)
        self.assertIn("hall/press/free", other.said())

    def socket_name(self):
        digest = 0xCBF29CE484222325
        for byte in os.path.realpath(self.ship.config).encode():
            digest = (digest ^ byte) * 0x100000001B3 % 2 ** 64
        return b"\0lightship/%016x" % digest

    @unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
    def test_strangers_are_told_at_once_and_take_no_place_on_the_control_socket(self):
        stranger = subprocess.Popen(["/usr/bin/python3", "-c", STRANGER, self.socket_name().hex()], user=65534, group=65534, extra_groups=[],
                                    cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(stranger.communicate)              # closes its input, and it ends
        told = json.loads(stranger.stdout.readline())      # without having asked anything
        self.assertEqual(len(told), 20)
        for line in told:
            self.assertIn("run the command as that user or as root", json.loads(line)["error"]["text"])
        self.assertEqual(self.write("free", "9").status, 0)

    def test_who_finds_every_place_taken_is_told_that_it_is_busy(self):
        taken = []
        for _ in range(16):
            taken.append(socket.socket(socket.AF_UNIX))
            self.addCleanup(taken[-1].close)
            taken[-1].connect(self.socket_name())
        done = self.write("free", "9")
        self.assertNotEqual(done.status, 0)
        self.assertIn("the gateway is busy: 16 commands", str(done))
        for s in taken:
            s.close()
        eventually(lambda: self.write("free", "9").status == 0, 5, "a place")

    def test_rubbish_on_the_control_socket_hurts_nobody(self):
        name = self.socket_name()

        def dial():
            s = socket.socket(socket.AF_UNIX)
            s.connect(name)
            s.settimeout(5)
            self.addCleanup(s.close)
            return s

        def ask(line):
            s = dial()
            s.sendall(line)
            return s.makefile("rb").readline()
        for line in (b"\n", b"{}\n", b"[1]\n", b'{"do":7}\n', b'{"do":"dance"}\n', b'{"do":"write"}\n', b"\xff\xfe\n",
                     b'{"do":"read","device":"hall/press","function":9,"first":-1,"count":70000}\n', b"[" * 5000 + b"\n"):
            with self.subTest(line=line[:60]):
                self.assertIn("error", json.loads(ask(line)))
        flood = dial()
        try:
            flood.sendall(b"x" * 200_000)
        except OSError:
            pass
        for _ in range(40):                                # more than it keeps, and they go again
            dial().close()
        eventually(lambda: b"ok" in ask(b'{"do":"status"}\n'), 5, "the status")


class WithoutAGateway(Over):
    running = False


class Bounds(WriteTest):
    """min_write_interval and max_writes_per_minute hold over processes: commands one after the other, and restarts."""

    def setUp(self):
        super().setUp()
        self.device = self.start(modbus.pymodbus_server())
        points = {"valve": {"address": 40, "data_type": "uint16", "writable": True, "min_write_interval": "1h"},
                  "free": {"address": 30, "data_type": "uint16", "writable": True}}
        self.ship = self.site(c.tcp(self.device.port, c.client("press", 1, points, allow_write=True, expose_via_tcp=True, mqtt_enabled=False,
                                                               max_writes_per_minute=4), name="hall"))

    def refused(self, point, value, bound):
        done = self.write(point, value, "--json")
        self.assertEqual((done.status, done.json["error"]["kind"]), (75, "too_often"), done)
        self.assertIn(bound, done.json["error"]["message"])

    def test_a_loop_of_commands_does_not_get_round_them(self):
        self.assertEqual(self.write("valve", "1").status, 0)
        for value in range(2, 5):
            self.refused("valve", str(value), "min_write_interval")
        self.assertEqual(self.held(40), [1])
        for value in range(3):
            self.assertEqual(self.write("free", str(value)).status, 0)
        self.refused("free", "9", "max_writes_per_minute")
        self.assertEqual(self.held(30), [2])

    def test_commands_at_the_same_time_do_not_get_round_them(self):
        done = []
        threads = [threading.Thread(target=lambda value=value: done.append(self.write("valve", str(value), "--json"))) for value in range(6)]
        [t.start() for t in threads]
        [t.join(60) for t in threads]
        self.assertEqual(sorted(d.status for d in done), [0] + [75] * 5, done)

    def test_a_restart_does_not_get_round_them(self):
        self.start(self.ship)
        self.assertEqual(self.write("valve", "1").status, 0)
        self.ship.terminate()
        self.refused("valve", "2", "min_write_interval")          # nor does the command without a gateway
        self.ship.start_again()
        self.refused("valve", "3", "min_write_interval")
        client = modbus.RawTcp(self.gateway_port)
        self.addCleanup(client.close)
        eventually(lambda: isinstance(client.registers(1, 3, 40, 1), list), 10, "the first poll")
        self.assertEqual(client.ask(1, struct.pack(">BHH", 6, 40, 4)).hex(), "8606")
        self.assertEqual(client.registers(1, 3, 40, 1), [1])

    def test_a_write_that_was_killed_counts_as_one(self):
        stuck = threading.Event()

        def answer(unit, pdu):
            if pdu[0] == 6:
                stuck.set()
                return None
            return modbus.serve_data_map(pdu)
        device = self.start(modbus.ScriptedDevice(answer))
        points = {"valve": {"address": 40, "data_type": "uint16", "writable": True, "min_write_interval": "1h"}}
        self.ship = self.start(self.site(c.tcp(device.port, c.client("press", 1, points, allow_write=True, mqtt_enabled=False), name="hall",
                                               timeout=5)))
        thread = threading.Thread(target=lambda: self.write("valve", "1"))
        thread.start()
        self.assertTrue(stuck.wait(10))
        self.ship.kill_9()
        thread.join(20)
        self.refused("valve", "2", "min_write_interval")


class Numbers(WriteTest):
    def test_are_taken_as_people_write_them(self):
        self.device = self.start(modbus.pymodbus_server())
        self.ship = self.site(c.tcp(self.device.port, press(), name="hall"))
        for value, held in (("+7", 7), ("0x10", 16), ("0X2A", 42), ("1e3", 1000)):
            with self.subTest(value=value):
                self.assertEqual(self.write("free", value).status, 0)
                self.assertEqual(self.held(30), [held])
        done = self.write("free", "0x")
        self.assertEqual(done.status, 64, done)
        self.assertIn("'0x' is no number that can be written (such as 42, -1.5 or 0x2A)", done.err)


class AskedOnlyIfAllowed(WriteTest):
    def test_a_device_without_allow_write(self):
        self.device = self.start(modbus.pymodbus_server())
        for running in (False, True):
            with self.subTest(running=running):
                self.ship = self.site(c.tcp(self.device.port, press(allow_write=False), name="hall"))
                if running:
                    self.start(self.ship)
                before = self.device.requests()
                done = self.write("free", "1", "--json")
                self.assertEqual((done.status, done.json["error"]["kind"]), (78, "not_allowed"), done)
                self.assertIn("allow_write: true", done.json["error"]["message"])
                self.assertEqual([e["outcome"] for e in self.audit()], ["refused"])
                if not running:
                    self.assertEqual(self.device.requests(), before)


class OnASerialLine(WriteTest):
    """The port belongs to the running gateway: commands go through it."""

    def setUp(self):
        super().setUp()
        self.line = self.start(PacedLine(baud=19200))
        self.meter = self.start(modbus.libmodbus_rtu(self.line.device_paths[0], baud=19200))
        self.ship = self.site(c.serial(self.line.master_path, press(), name="hall", baud_rate=19200))

    def test_with_and_without_the_gateway(self):
        done = self.write("free", "11")
        self.assertEqual(done.status, 0, done)
        self.start(self.ship)
        done = self.write("free", "12", "--json")
        self.assertEqual(done.status, 0, done)
        self.assertEqual((done.json["before"], done.json["now"]), (11, 12))
        done = lightship("read", "--config", self.ship.config, "--device", "press", "--point", "free", "--json")
        self.assertEqual(done.json["points"]["free"]["value"], 12, done)
        self.ship.terminate()
        done = self.write("free", "13", "--expect", "12")
        self.assertEqual(done.status, 0, done)

    def test_a_silent_device_does_not_answer(self):
        self.start(self.ship)
        self.meter.silent()
        done = self.write("free", "1", "--json", "--timeout", "2")
        self.assertEqual((done.status, done.json["error"]["kind"]), (69, "timeout"), done)
        self.assertLess(done.seconds, 5)
        self.assertIn("nothing was sent", done.json["error"]["message"])


class ThroughTheGateway(WriteTest):
    def setUp(self):
        super().setUp()
        self.device = self.start(modbus.pymodbus_server())
        self.ship = self.start(self.site(c.tcp(self.device.port, press(), c.client("meter", 2, c.registers(10), expose_via_tcp=True,
                                                                                  mqtt_enabled=False), name="hall")))
        self.client = modbus.RawTcp(self.gateway_port)
        self.addCleanup(self.client.close)
        eventually(lambda: isinstance(self.client.registers(1, 3, 20, 1), list), 10, "the first poll")

    def pymodbus(self, fn, at, value, count=1, unit=1):
        answer, = modbus.pymodbus_client("tcp", "127.0.0.1", self.gateway_port, unit=unit, fn=fn, at=at, value=value, count=count)
        return answer

    def test_pymodbus_writes_with_every_function(self):
        for fn, at, value, count, held in ((6, 30, 7, 1, [7]), (16, 30, 8, 1, [8]), (5, 5, 1, 1, [1]), (15, 5, 0, 3, [0, 0, 0]),
                                           (23, 40, 9, 2, [9, 9])):
            with self.subTest(fn=fn):
                answer = self.pymodbus(fn, at, value, count)
                self.assertTrue(answer["ok"], answer)
                function = "coil" if fn in (5, 15) else "holding"
                self.assertEqual(self.held(at, count, function), held)
        self.assertEqual([e["outcome"] for e in self.ended()], ["written"] * 5)
        self.assertTrue(all(e["by"] == "modbus gateway, 127.0.0.1" for e in self.ended()))

    def test_a_mask_write(self):
        self.device.set("holding", 50, 0xF00F)
        self.assertEqual(self.client.ask(1, struct.pack(">BHHH", 22, 50, 0xFFF0, 0x0005)).hex(), "160032fff00005")
        self.assertEqual(self.held(50), [0xF005])

    def test_mbpoll_writes(self):
        status, _, said = modbus.mbpoll("-m", "tcp", "-p", self.gateway_port, "-a", 1, "-r", 31, "-t", 4, "127.0.0.1", 1234)
        self.assertEqual(status, 0, said)
        self.assertEqual(self.held(30), [1234])

    def test_what_was_written_is_read_at_once(self):
        for value in range(50):
            self.assertEqual(self.client.ask(1, struct.pack(">BHH", 6, 30, value))[0], 6)
            self.assertEqual(self.client.registers(1, 3, 30, 1), [value])

    def test_the_guard_of_named_registers(self):
        for pdu, code in ((struct.pack(">BHH", 6, 20, 901), 3), (struct.pack(">BHH", 6, 20, 213), 3), (struct.pack(">BHH", 6, 31, 1), 2),
                          (struct.pack(">BHHBHH", 16, 22, 2, 4, 0, 0x7FC0), 3), (struct.pack(">BHH", 6, 65000, 1), 2),
                          (struct.pack(">BHH", 5, 5, 1), 3), (b"\x07", 1)):
            with self.subTest(pdu=pdu.hex()):
                self.assertEqual(self.client.ask(1, pdu).hex(), bytes([pdu[0] | 0x80, code]).hex())
        self.assertEqual(self.client.ask(1, struct.pack(">BHH", 6, 20, 215)).hex(), "06001400d7")
        self.assertEqual(self.client.ask(1, struct.pack(">BHH", 6, 32, 5)).hex(), "0600200005")     # says nothing of writable

    def test_a_device_without_allow_write_refuses_the_function(self):
        for fn in (5, 6, 15, 16, 23):
            self.assertEqual(self.pymodbus(fn, 0, 1, unit=2)["exception"], 1)
        self.assertEqual(self.pymodbus(6, 0, 1, unit=9)["exception"], 10)

    def test_a_silent_device_gives_0b(self):
        self.device.silent()
        self.assertEqual(self.client.ask(1, struct.pack(">BHH", 6, 30, 1)).hex(), "860b")

    def test_many_clients_at_once(self):
        def one(index, failures):
            client = modbus.RawTcp(self.gateway_port)
            try:
                for turn in range(30):
                    at, value = 60 + index, turn
                    if client.ask(1, struct.pack(">BHH", 6, at, value)) != struct.pack(">BHH", 6, at, value):
                        failures.append((index, turn))
            finally:
                client.close()
        failures = []
        threads = [threading.Thread(target=one, args=(i, failures)) for i in range(8)]
        [t.start() for t in threads]
        [t.join(30) for t in threads]
        self.assertEqual(failures, [])
        self.assertEqual(self.held(60, 8), [29] * 8)
        self.assertEqual(len(self.ended()), 240)


class WhenItIsKilled(WriteTest):
    def test_a_write_that_was_under_way_is_asked_without_an_end(self):
        stuck = threading.Event()

        def answer(unit, pdu):
            if pdu[0] == 6:
                stuck.set()
                return None
            return modbus.serve_data_map(pdu)
        self.device = self.start(modbus.ScriptedDevice(answer))
        self.ship = self.start(self.site(c.tcp(self.device.port, press(), name="hall", timeout=5)))
        thread = threading.Thread(target=lambda: setattr(self, "done", self.write("free", "1")))
        thread.start()
        self.assertTrue(stuck.wait(10))
        self.ship.kill_9()
        thread.join(20)
        self.assertEqual(self.done.status, 69, self.done)
        self.assertIn("is in its audit", self.done.err)
        entry, = self.audit()
        self.assertEqual((entry["state"], entry["point"], entry["new"]), ("asked", "free", 1))

    def test_a_clean_stop_tells_the_end(self):
        stuck = threading.Event()

        def answer(unit, pdu):
            if pdu[0] == 6:
                stuck.set()
                return None
            return modbus.serve_data_map(pdu)
        self.device = self.start(modbus.ScriptedDevice(answer))
        self.ship = self.start(self.site(c.tcp(self.device.port, press(), name="hall", timeout=5)))
        thread = threading.Thread(target=lambda: setattr(self, "done", self.write("free", "1")))
        thread.start()
        self.assertTrue(stuck.wait(10))
        self.ship.terminate()
        thread.join(20)
        asked, ended = self.audit()
        self.assertEqual(ended["outcome"], "failed")
        self.assertIn("the gateway stopped in the middle", ended["error"])


class WhatCheckSays(WriteTest):
    def check(self, *clients):
        ship = self.site(c.tcp(1502, *clients, name="hall"))
        self.addCleanup(ship.stop)
        done = lightship("check", "--config", ship.config, "--json")
        return done.status, [(m["severity"], m["message"]) for m in done.json["mistakes"]]

    def test_of_writable_registers_and_devices_that_do_not_fit(self):
        for points, more, severity, text in (
                ({"a": {"address": 0, "writable": True, "range": [0, 1]}}, {}, "warning", "no allow_write"),
                ({"a": {"address": 0, "writable": True}}, {"allow_write": True}, "warning", "without a range"),
                ({"a": {"address": 0}}, {"allow_write": True}, "warning", "none of its registers says writable"),
                ({"a": {"address": 0, "range": [0, 1]}}, {}, "warning", "no effect without allow_write"),
                ({"a": {"address": 0, "function": 4, "writable": True}}, {"allow_write": True}, "error", "function 4"),
                ({"a": {"address": 0, "writable": True, "range": [5, 1]}}, {"allow_write": True}, "error", "lowest value comes first"),
                ({"a": {"address": 0, "writable": True, "step": 0}}, {"allow_write": True}, "error", "above 0")):
            with self.subTest(text=text):
                status, told = self.check(c.client("press", 1, points, **more))
                self.assertEqual(status, 78 if severity == "error" else 0, told)
                self.assertTrue(any(s == severity and text in m for s, m in told), told)

    def test_of_a_broadcast(self):
        status, told = self.check(c.client("press", 0, {"a": {"address": 0}}, allow_write=True))
        self.assertEqual(status, 78, told)
        self.assertTrue(any("broadcast" in m for _, m in told), told)


class HowFast(WriteTest):
    def test_a_write_waits_for_no_poll(self):
        self.device = self.start(modbus.libmodbus_tcp())
        self.ship = self.start(self.site(c.tcp(self.device.port, press(poll_interval=0.05), name="hall")))
        client = modbus.RawTcp(self.gateway_port)
        self.addCleanup(client.close)
        times = []
        for value in range(300):
            began = time.monotonic()
            self.assertEqual(client.ask(1, struct.pack(">BHH", 6, 30, value))[0], 6)
            times.append(1000 * (time.monotonic() - began))
        times.sort()
        print(f"a write through the gateway: median {statistics.median(times):.1f} ms, p99 {times[296]:.1f} ms", flush=True)
        self.assertLess(statistics.median(times), 50, times[-10:])


del Over
