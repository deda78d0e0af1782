"""What it costs to poll many float points over Modbus TCP, beside pymodbus' async client that only reads.

    points_per_second.py [--seconds 30] [--only NAME]

100,000 points each second (50 connections of 2000) and 10,000 points every 100 ms (50 of 200), with decoding,
the cache and the Modbus TCP gateway, through which a client reads now and then, and another writes a register of
some device ten times a second: from its request to the answer that the device holds it, in milliseconds. The CPU is
that of all threads, in percent of one core; late polls are the times of the grid that went by. The devices are one simulated server
(fast_modbus_server.cpp), whose CPU is not counted. With the history every point is in the 1-minute roll-up, and
1,000 points, or all, are stored raw as well.
"""
import argparse
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import configuration as write  # noqa: E402
from support.program import Lightship, lightship, lightship_binary  # noqa: E402
from support.waiting import eventually, free_port  # noqa: E402

CONNECTIONS = 50
RAW_POINTS = 1000
WRITABLE = 50_000  # the first register of the devices that can be written
WRITE_AIM_MS = 50
WARM_UP_S = 5
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MIB = 1024.0

# Points of each connection and their interval; the aims, MiB resident and percent of one core; and the best that any
# gateway publishes for the same load, measured by its makers on another machine.
PLANS = (
    {"name": "100,000 points each second", "points": 2000, "interval": 1.0, "mib": 64, "percent": 4.0, "published": {"mib": 153, "percent": 7.0}},
    {"name": "10,000 points every 100 ms", "points": 200, "interval": 0.1, "mib": 32, "percent": 4.0, "published": {"mib": 55, "percent": 7.6}},
)


class Devices:
    """The simulated server; it ends with this program."""

    def __init__(self):
        tool = lightship_binary().parent / "bench-tools" / "fast_modbus_server"
        self.process = subprocess.Popen([tool], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def expected(at, tick):
    """The float number `at` that the server gives in a tenth of a second."""
    return 1000.0 + 0.25 * at + 0.125 * (tick % 512)


def history_is_known():
    return "### `communication.history`" in lightship("reference").out


def site(plan, devices, gateway_port, in_flight, history):
    def meter(name, first, end):
        points = {f"p{at}": {"address": 2 * at, "function": 3, "data_type": "float32", "unit": "kW"} for at in range(first, end)}
        return {"id": name, "manufacturer": "Lightship", "model": "Simulated", "protocol": "modbus_tcp",
                "limits": {"in_flight": in_flight}, "registers": points}

    def client(unit, raw, model="plc"):
        what = {} if history is None else {"history": "raw" if raw or history == "all raw" else "rollup"}
        return {"id": model, "unit_id": unit, "meter_model": model, "poll_interval": plan["interval"], "expose_via_tcp": True,
                "allow_write": True, "max_writes_per_minute": 0, **what}

    def clients(unit):
        if plan["points"] > RAW_POINTS and unit == 1:
            return [client(1, True, "some"), client(CONNECTIONS + 1, False, "rest")]
        return [client(unit, unit * plan["points"] <= RAW_POINTS)]

    registry = {"meters": [meter("plc", 0, plan["points"]), meter("some", 0, RAW_POINTS), meter("rest", RAW_POINTS, plan["points"])]}
    if plan["points"] <= RAW_POINTS:
        del registry["meters"][1:]
    connections = [write.tcp(devices.port, *clients(unit), name=f"line-{unit}") for unit in range(1, CONNECTIONS + 1)]
    settings = {} if not history_is_known() else {"history": {"enabled": history is not None}}
    return {"meter_registry": registry, "slave_config": write.slaves(*connections),
            "communication": write.communication(None, write.gateway(gateway_port), **settings)}


class Reader(threading.Thread):
    """Reads through the gateway ten times a second, and looks whether the values are those of the device."""

    def __init__(self, port, plan):
        super().__init__(daemon=True)
        self.port, self.plan, self.reads, self.wrong, self.over = port, plan, 0, [], threading.Event()

    def run(self):
        with socket.create_connection(("127.0.0.1", self.port), 5) as peer:
            while not self.over.wait(0.1):
                unit, first = random.randint(2, CONNECTIONS), random.randrange(0, self.plan["points"] - 60)
                peer.sendall(struct.pack(">HHHBBHH", 7, 0, 6, unit, 3, 2 * first, 120))
                answer = b""
                while len(answer) < 9 or len(answer) < 6 + struct.unpack(">H", answer[4:6])[0]:
                    more = peer.recv(1024)
                    if not more:
                        return self.wrong.append("the gateway closed the connection")
                    answer += more
                self.reads += 1
                now = int(10 * time.time())
                age = range(now - int(10 * (self.plan["interval"] + 2)), now + 1)
                if len(answer) != 249 or any(value not in {expected(first + i, tick) for tick in age}
                                             for i, value in ((0, struct.unpack(">f", answer[9:13])[0]), (59, struct.unpack(">f", answer[245:249])[0]))):
                    self.wrong.append(f"unit {unit}, float {first}: {answer[7:].hex()}")

    def stop(self):
        self.over.set()
        self.join()
        if self.wrong or not self.reads:
            raise AssertionError(f"{len(self.wrong)} of {self.reads} reads through the gateway were wrong: {self.wrong[:1]}")


class Writer(threading.Thread):
    """Writes a register through the gateway ten times a second, at any moment of the polls, and keeps how long each took."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ms, self.wrong, self.over = port, [], [], threading.Event()

    def run(self):
        with socket.create_connection(("127.0.0.1", self.port), 5) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self.over.wait(random.uniform(0.05, 0.15)):
                request = struct.pack(">HHHBBHH", random.randrange(65536), 0, 6, random.randint(1, CONNECTIONS), 6,
                                      random.randint(WRITABLE, 65535), random.randrange(65536))
                began = time.monotonic()
                peer.sendall(request)
                try:
                    answer = peer.recv(260)
                except TimeoutError:
                    return self.wrong.append("no answer within 5 s")
                self.ms.append(1000 * (time.monotonic() - began))
                if answer != request:
                    self.wrong.append(f"{request.hex()}: {answer.hex()}")
                    if not answer:
                        return

    def stop(self):
        self.over.set()
        self.join()
        if self.wrong or not self.ms:
            raise AssertionError(f"{len(self.wrong)} of {len(self.ms)} writes through the gateway were wrong: {self.wrong[:1]}")
        ordered = sorted(self.ms)
        return {"count": len(ordered), "median_ms": round(ordered[len(ordered) // 2], 2),
                "p99_ms": round(ordered[min(len(ordered) - 1, 99 * len(ordered) // 100)], 2), "slowest_ms": round(ordered[-1], 2)}


def cpu_s(pid):
    """User and system time of all threads of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def memory_mib(pid):
    """Peak and present, of all that is resident, of what is our own, and the share of what others map too."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() + pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return {key: int(line.split()[1]) / MIB for line in lines if (key := line.split(":")[0]) in ("VmHWM", "VmRSS", "RssAnon", "Pss")}


def totals(gateway):
    """The sums of the counters of the poller over all devices."""
    sums = {}
    for line in gateway.get("/metrics").body.splitlines():
        if line.startswith(("lightship_modbus_", "lightship_history_")):
            name = line.split("{")[0].split()[0]
            sums[name] = sums.get(name, 0) + float(line.split()[-1])
    return sums


def measure(plan, devices, in_flight, history, seconds):
    port = free_port()
    gateway = Lightship(wait_ready=False, **site(plan, devices, port, in_flight, history)).start()
    try:
        gateway.await_ready(60)
        pid = gateway.process.pid
        eventually(lambda: totals(gateway).get("lightship_modbus_polls_total", 0) >= CONNECTIONS, 30, "a first poll of every device")
        time.sleep(WARM_UP_S)
        reader = Reader(port, plan)
        writer = Writer(port)
        reader.start()
        writer.start()
        before, cpu, began = totals(gateway), cpu_s(pid), time.monotonic()
        peak = {}
        while time.monotonic() - began < seconds:
            time.sleep(1)
            for key, value in memory_mib(pid).items():
                peak[key] = max(peak.get(key, 0), value)
        passed = time.monotonic() - began
        percent = 100 * (cpu_s(pid) - cpu) / passed
        after = totals(gateway)
        reader.stop()
        writes = writer.stop()
        count = {name.removeprefix("lightship_").removesuffix("_total"): after[name] - before.get(name, 0) for name in after}
        # A connection whose points are two devices is polled twice as often.
        devices_polled = CONNECTIONS + (plan["points"] > RAW_POINTS)
        expected_polls = devices_polled * passed / plan["interval"]
        return {"percent": percent, "polls": count["modbus_polls"], "expected": expected_polls, "late": count["modbus_overruns"],
                "failed": count["modbus_polls_failed"] + count.get("modbus_failures", 0), "requests": count["modbus_requests"],
                "gateway_reads": reader.reads, "writes": writes, "raw_per_second": round(count.get("history_values", 0) / passed),
                "points_per_second": round(CONNECTIONS * plan["points"] / plan["interval"] * count["modbus_polls"] / expected_polls),
                **{k: round(v, 1) for k, v in peak.items()}}
    finally:
        gateway.stop()


def peer(plan, devices, in_flight, seconds):
    """pymodbus: the same blocks, each 62 floats, on the same grid."""
    blocks = [f"{2 * at}:{2 * min(62, plan['points'] - at)}" for at in range(0, plan["points"], 62)]
    argv = ["/usr/bin/python3", ROOT / "bench" / "_pymodbus_reads.py", devices.port, CONNECTIONS, plan["interval"], in_flight, seconds, *blocks]
    with subprocess.Popen(list(map(str, argv)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout.readline().strip() != "measuring":
            return None
        cpu = cpu_s(process.pid)
        line = process.stdout.readline()
        used = cpu_s(process.pid) - cpu
        told = json.loads(line)
    return {"percent": 100 * used / told["seconds"], "points_per_second": round(told["polls"] * plan["points"] / told["seconds"]), **told}


def say(name, ours, theirs, unit, aim, **more):
    print(json.dumps({"name": name, "ours": round(ours, 2), "peer": theirs and round(theirs, 2), "ratio": round(ours / theirs, 3) if theirs else None,
                      "unit": unit, "higher_is_better": False, "aim": aim, **more}), flush=True)


def ways():
    """Requests in flight, and what is stored raw; None: no history."""
    if not history_is_known():
        return [(1, None), (16, None)]
    return [(1, None), (16, None), (1, "1,000 raw"), (16, "1,000 raw"), (16, "all raw")]


def compare(name, plan, devices, in_flight, history, options):
    # The roll-ups of a minute are made at its end: less than a whole one would have all of their work, or none.
    seconds = options.seconds if history is None else max(60, 60 * round(options.seconds / 60))
    ours = measure(plan, devices, in_flight, history, seconds)
    if ours["polls"] < 0.98 * ours["expected"] or ours["failed"]:
        raise AssertionError(f"{name}: not polled as planned: {ours}")
    theirs = None if options.no_peer else peer(plan, devices, in_flight, options.seconds)
    # The same work: what pymodbus would need if it kept up.
    rate = plan["points"] * CONNECTIONS / plan["interval"]
    scaled = theirs and theirs["percent"] * rate / max(theirs["points_per_second"], 1)
    say(f"CPU, {name}", ours["percent"], scaled, "% of a core", plan["percent"], published=plan["published"]["percent"],
        lightship=ours, pymodbus=theirs)
    say(f"Late polls, {name}", ours["late"], theirs and theirs["missed"], f"of {ours['expected']:.0f}", 0)
    say(f"Write, 99 of 100, {name}", ours["writes"]["p99_ms"], None, "ms", WRITE_AIM_MS)
    say(f"Memory, {name} (peak VmRSS)", ours["VmRSS"], None, "MiB", plan["mib"], published=plan["published"]["mib"])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--only", default="", help="plans and ways whose name contains this")
    options.add_argument("--no-peer", action="store_true")
    options = options.parse_args()
    devices = Devices()
    try:
        for plan in PLANS:
            for in_flight, history in ways():
                name = f"{plan['name']}, {in_flight} in flight, {history or 'no history'}"
                if options.only in name:
                    compare(name, plan, devices, in_flight, history, options)
    finally:
        devices.stop()


if __name__ == "__main__":
    main()
