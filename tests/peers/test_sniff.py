"""`lightship sniff` beside masters and meters that others wrote: what it hears, and that it says nothing."""
import json
import os
import pty
import signal
import time

from support import Lightship, PacedLine, Process, TestCase, configuration as c, lightship, lightship_binary, modbus


class Sniffer(Process):
    """`lightship sniff --json` while something else happens."""

    def __init__(self, url, *more):
        super().__init__([lightship_binary(), "sniff", "--url", url, "--json", *more], name="sniff")

    def start(self):
        super().start()
        self.wait_for_line("^listening to", 15)
        return self

    def end(self):
        """Ctrl-C; what it had told, the summary last."""
        time.sleep(0.2)
        self.send_signal(signal.SIGINT)
        assert self.wait() == 0, self.text()
        return [json.loads(line) for line in self.text("out").splitlines()]


class SniffTest(TestCase):
    def lay(self, devices=1, baud=19200, **how):
        self.line = self.start(PacedLine(baud=baud, devices=devices, taps=1, **how))
        self.tap = self.line.tap_paths[0]
        return self.line

    def frames(self, told):
        return [(t["direction"], t["unit"], t["text"]) for t in told if t["type"] == "frame" and t["check"] == "good"]


class BesideOthers(SniffTest):
    def test_hears_a_master_and_its_meters_and_says_nothing(self):
        self.lay(devices=2, turnaround=0.02)
        self.start(modbus.libmodbus_rtu(self.line.device_paths[0], baud=19200, unit=1))
        self.start(modbus.pymodbus_server("rtu", tty=self.line.device_paths[1], baud=19200, unit=7))
        sniffer = self.start(Sniffer(f"rtu://{self.tap}?baud=19200"))
        for unit in (1, 7):
            modbus.pymodbus_client("rtu", self.line.master_path, 19200, unit=unit, fn=3, at=4, count=2, repeat=3)
        modbus.pymodbus_client("rtu", self.line.master_path, 19200, unit=7, fn=4, at=65000, count=1)
        told = sniffer.end()
        summary = told[-1]
        asked, answer = "read 2 holding registers at 4", "1404 1505"
        self.assertEqual(self.frames(told)[:6], [("request", 1, asked), ("answer", 1, answer)] * 3)
        self.assertEqual(self.frames(told)[-2:], [("request", 7, "read 1 input register at 65000"),
                                                  ("answer", 7, "exception 2 (address range not served)")])
        self.assertEqual([u["unit"] for u in summary["units"]], [1, 7])
        self.assertEqual([u["answers"] for u in summary["units"]], [3, 4])
        self.assertEqual(summary["units"][1]["exceptions"], {"2": 1})
        self.assertGreater(summary["units"][0]["answer_p50_ms"], 15)
        self.assertEqual(summary["errors"], {"damaged": 0, "noise_bytes": 0, "framing": 0, "parity": 0, "overrun": 0, "breaks": 0})
        self.assertIn({"unit": 7, "function": 3, "address": 4, "count": 2, "times": 3},
                      [{k: p[k] for k in ("unit", "function", "address", "count", "times")} for p in summary["polls"]])
        self.assertEqual(self.line.tap_wrote, 0)

    def test_hears_writes_and_whose_answer_is_the_request(self):
        self.lay()
        self.start(modbus.libmodbus_rtu(self.line.device_paths[0], baud=19200))
        sniffer = self.start(Sniffer(f"rtu://{self.tap}?baud=19200"))
        modbus.libmodbus_client("rtu", self.line.master_path, 19200, fn=6, at=9, value=77)
        told = sniffer.end()
        self.assertEqual(self.frames(told), [("request", 1, "write register 9 = 77"), ("answer", 1, "done")])

    def test_tells_a_silent_device_a_damaged_answer_and_noise(self):
        self.lay()
        server = self.start(modbus.libmodbus_rtu(self.line.device_paths[0], baud=19200))
        sniffer = self.start(Sniffer(f"rtu://{self.tap}?baud=19200"))
        self.line.every_answer = lambda frame: [(0, frame[:-1] + bytes([frame[-1] ^ 1]))]
        modbus.libmodbus_client("rtu", self.line.master_path, 19200, fn=3, at=0, count=4)
        self.line.every_answer = None
        time.sleep(0.2)
        self.line.inject(b"\x00\xff")
        time.sleep(0.2)
        modbus.libmodbus_client("rtu", self.line.master_path, 19200, unit=9, fn=3, at=0, count=1)
        modbus.libmodbus_client("rtu", self.line.master_path, 19200, fn=3, at=0, count=1)
        told = sniffer.end()
        self.assertEqual([(t["type"], t["bytes"]) for t in told if t["type"] == "noise"], [("noise", "00 FF")])
        damaged = [t for t in told if t.get("check") == "bad"]
        self.assertEqual([(t["unit"], t["direction"]) for t in damaged], [(1, "unknown")])
        self.assertEqual(told[-1]["errors"]["damaged"], 1)
        self.assertEqual({u["unit"]: u["unanswered"] for u in told[-1]["units"]}, {1: 1, 9: 1})
        self.assertGreaterEqual(server.requests(), 1)

    def test_hears_an_ascii_line(self):
        self.lay(ascii=True)
        self.start(modbus.pymodbus_server("ascii", tty=self.line.device_paths[0], baud=19200, unit=1))
        sniffer = self.start(Sniffer(f"ascii://{self.tap}?baud=19200"))
        modbus.pymodbus_client("ascii", self.line.master_path, 19200, fn=3, at=0, count=1)
        self.assertEqual(self.frames(sniffer.end()), [("request", 1, "read 1 holding register at 0"), ("answer", 1, "1000")])

    def test_times_come_from_the_line(self):
        self.lay(baud=9600, turnaround=0.03)
        self.start(modbus.libmodbus_rtu(self.line.device_paths[0]))
        sniffer = self.start(Sniffer(f"rtu://{self.tap}?baud=9600"))
        modbus.libmodbus_client("rtu", self.line.master_path, 9600, fn=3, at=0, count=10, repeat=5)
        told = sniffer.end()
        answers = [t["answer_us"] for t in told if t.get("direction") == "answer"]
        self.assertEqual(len(answers), 5)
        for us in answers:
            self.assertGreater(us, 27_000)
            self.assertLess(us, 80_000)
        self.assertGreater(told[-1]["load_percent"], 2)

    def test_each_line_comes_as_the_frame_does(self):
        self.lay()
        self.start(modbus.libmodbus_rtu(self.line.device_paths[0], baud=19200))
        sniffer = self.start(Sniffer(f"rtu://{self.tap}?baud=19200"))
        modbus.libmodbus_client("rtu", self.line.master_path, 19200, fn=3, at=0, count=1)
        sniffer.wait_for_line('"direction":"answer"', 2)


class TheCommand(SniffTest):
    def test_ends_after_its_seconds_with_a_summary_for_people(self):
        self.lay()
        done = lightship("sniff", "--url", f"rtu://{self.tap}?baud=9600", "--seconds", 0.5)
        self.assertEqual(done.status, 0, done)
        self.assertIn("heard nothing", done.out)
        self.assertLess(done.seconds, 5)

    def test_finds_the_rate_of_a_line_that_is_polled(self):
        # A pseudo-terminal carries bytes at any rate, so the first setting is the one that is found.
        self.lay(baud=9600)
        self.start(modbus.libmodbus_rtu(self.line.device_paths[0]))
        sniffer = Process([lightship_binary(), "sniff", "--url", f"rtu://{self.tap}?baud=auto", "--seconds", 20], name="sniff")
        self.start(sniffer)
        sniffer.wait_for_line("listening at 9600 8N1")
        modbus.libmodbus_client("rtu", self.line.master_path, 9600, fn=3, at=0, count=1, repeat=8)
        sniffer.wait_for_line(r"found 9600 8N1: \d+ frames with a good check, .* certain")
        sniffer.wait_for_line("listening to serial .* 9600 8N1")
        self.assertEqual(self.line.tap_wrote, 0)

    def test_a_line_of_which_nothing_is_heard_has_no_rate_to_be_found(self):
        self.lay()
        done = lightship("sniff", "--url", f"rtu://{self.tap}", "--find", "--seconds", 0.5)
        self.assertEqual(done.status, 69, done)
        self.assertIn("no byte was heard", done.err)

    def test_says_who_holds_the_port_and_what_to_do(self):
        ours, device = pty.openpty()
        self.addCleanup(os.close, ours)
        path = os.ttyname(device)
        gateway = self.start(Lightship(slave_config=c.slaves(c.serial(path, c.client(points=c.registers(1))))))
        os.close(device)                       # now the gateway alone has it
        done = lightship("sniff", "--url", f"rtu://{path}", "--seconds", 1)
        self.assertEqual(done.status, 69, done)
        self.assertIn(f"pid {gateway.pid}", done.err)
        self.assertIn("running gateway: stop it", done.err)

    def test_wrong_usage(self):
        for url, why in (("tcp://127.0.0.1", "does not pass here"), ("rtu:///dev/ttyX?baud=fast", "baud=fast"),
                         ("rtu+tcp://127.0.0.1:1?baud=auto", "no rate"), ("rtu:///dev/ttyX?baud=auto&baud=9600", "twice")):
            with self.subTest(url=url):
                done = lightship("sniff", "--url", url)
                self.assertEqual(done.status, 64, done)
                self.assertIn(why, done.err)

    def test_a_missing_port_is_unavailable(self):
        done = lightship("sniff", "--url", "rtu:///dev/tty-not-there", "--seconds", 1)
        self.assertEqual(done.status, 69, done)
        self.assertIn("no such port", done.err)
