"""One serial line with 32 units of which three misbehave: the others lose nothing by it."""
import json
import os
import re
import threading
import time

from support import Lightship, PacedLine, TestCase, configuration as c, eventually, modbus

UNITS = range(1, 33)
DEAD, SLOW, LOUD = 7, 12, 20
LATE = 0.1                                                   # seconds; a device answers within a few milliseconds
GOOD = [unit for unit in UNITS if unit not in (DEAD, SLOW, LOUD)]


class Meters:
    """All the devices of a line, on one terminal: `dead` says nothing, `slow` takes its time, `loud` speaks before others
    do: a frame of its own, noise behind it, and only then comes the answer that was asked for."""

    def __init__(self, path):
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self._ended = False
        self._slept = 0.0
        self.asked = dict.fromkeys(UNITS, 0)
        self.held_up, self.latest = 0, 0.0                   # turns of the thread that came late, and the worst of them
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._ended = True
        self._thread.join(5)
        os.close(self._fd)

    def _run(self):
        os.set_blocking(self._fd, False)
        heard = bytearray()
        turn = time.monotonic()
        while not self._ended:
            late = time.monotonic() - turn - self._slept
            turn, self._slept = time.monotonic(), 0.0
            self.latest = max(self.latest, late)
            self.held_up += late > LATE
            try:
                heard += os.read(self._fd, 256)
            except BlockingIOError:
                time.sleep(0.001)
                continue
            except OSError:
                return
            while len(heard) >= 8:
                if modbus.crc16(heard[:8]) != 0:
                    del heard[0]
                    continue
                frame = bytes(heard[:8])
                del heard[:8]
                self._answer(frame[0], frame[1:-2])

    def _answer(self, unit, pdu):
        self.asked[unit] += 1
        if unit == DEAD:
            return
        if unit == SLOW:
            time.sleep(0.3)
            self._slept = 0.3
        answer = modbus.rtu(unit, modbus.serve_data_map(pdu))
        if unit != LOUD and self.asked[LOUD] > 0 and sum(self.asked.values()) % 10 == 0:
            answer = modbus.rtu(LOUD, b"\x03\x02\x00\x07") + b"\x00\xff\x00" + answer
        os.write(self._fd, answer)


class ThirtyTwoUnits(TestCase):
    def numbers(self, name):
        """unit -> the counter, all its kinds together."""
        found = {}
        for device, value in re.findall(rf'^lightship_{name}\{{[^}}]*device="line/m(\d+)"[^}}]*\}} (\S+)$', self.ship.get("/metrics").body, re.M):
            found[int(device)] = found.get(int(device), 0) + float(value)
        return found

    def counters(self):
        return {name: self.numbers(f"modbus_{name}_total") for name in ("polls", "polls_failed", "overruns", "probes", "foreign")}

    def devices(self):
        lines = [part["devices"] for part in json.loads(self.ship.get("/api/status").body)["parts"] if "devices" in part]
        return {device["unit_id"]: device for device in lines[0]}

    def test_a_dead_a_slow_and_a_loud_one_cost_the_others_nothing(self):
        line = self.start(PacedLine(baud=38400))
        meters = self.start(Meters(line.device_paths[0]))
        clients = [c.client(f"m{unit}", unit, c.registers(2), poll_interval=2, mqtt_enabled=False) for unit in UNITS]
        self.ship = self.start(Lightship(slave_config=c.slaves(c.serial(line.master_path, *clients, baud_rate=38400, timeout=0.5))))
        eventually(lambda: all(self.devices()[unit]["online"] for unit in UNITS if unit != DEAD), 15, "the first answers")
        wanted = 8
        # What the simulated devices themselves held up (this machine was busy with something else) says nothing about
        # the gateway: a window in which one of them was late is watched again.
        for window in range(4):
            before, held_up = self.counters(), meters.held_up
            eventually(lambda: all(n - before["polls"][unit] >= wanted for unit, n in self.numbers("modbus_polls_total").items()
                                   if unit in GOOD), 30, f"{wanted} polls of each good unit")
            after = self.counters()
            if meters.held_up == held_up:
                break

        def since(name, unit):
            return after[name].get(unit, 0) - before[name].get(unit, 0)
        polls = sum(since("polls", unit) for unit in GOOD)
        missed = sum(since("overruns", unit) + since("polls_failed", unit) for unit in GOOD)
        told = (window, meters.held_up, meters.latest, before, after)
        self.assertGreaterEqual((polls - missed) / polls, 0.95, told)
        for unit in GOOD:                                    # and none of them pays for all
            lost = since("overruns", unit) + since("polls_failed", unit)
            self.assertLessEqual(lost, 1, (unit, told))

        devices = self.devices()
        self.assertFalse(devices[DEAD]["online"])
        self.assertIn("no bytes at all: look at wiring, power and unit_id", devices[DEAD]["condition"])
        self.assertGreater(devices[DEAD]["next_probe_ms"], 0)
        self.assertLess(since("probes", DEAD), wanted)       # asked more seldom than a living one
        self.assertTrue(devices[SLOW]["online"])
        self.assertGreater(devices[SLOW]["answer_ms"], 250)
        self.assertLess(min(devices[unit]["answer_ms"] for unit in GOOD), 250)
        self.assertGreater(sum(after["foreign"].values()), 0, "what the loud one says is counted")
        self.assertGreaterEqual(after["polls_failed"][DEAD], 1)
        self.assertLess(meters.asked[DEAD], meters.asked[GOOD[0]])
