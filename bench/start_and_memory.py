"""How soon after its start the gateway has published a reading, and how much memory it needs.

The start is the median of five: from exec to the first measurement at a subscriber of mosquitto, with one
meter on Modbus TCP. Memory is that of a gateway with 32 meters, 60 registers each, polled and published
every second, ten seconds after its start.
"""
import json
import pathlib
import socketserver
import statistics
import struct
import sys
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import configuration as write  # noqa: E402
from support.brokers import Mosquitto  # noqa: E402
from support.program import Lightship  # noqa: E402
from support.subscriber import Subscriber  # noqa: E402
from support.waiting import eventually, free_port  # noqa: E402

STARTS = 5
METERS = 32
SETTLED_S = 10


class Meters(socketserver.ThreadingTCPServer):
    """Answers functions 3 and 4 of every unit with the floats 230.25 in the order CDAB."""
    allow_reuse_address = daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self):
            try:
                self.answer_all()
            except ConnectionError:
                pass  # the program measured has been ended

        def answer_all(self):
            while header := self.rfile.read(7):
                transaction, _, length, unit = struct.unpack(">HHHB", header)
                function, _, count = struct.unpack(">BHH", self.rfile.read(length - 1))
                data = struct.pack(f">{count}H", *[0x4000, 0x4366] * (count // 2), *[0] * (count % 2))
                answer = struct.pack(">BBB", unit, function, 2 * count) + data
                self.wfile.write(struct.pack(">HHH", transaction, 0, len(answer)) + answer)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


def site(meters, broker, count):
    clients = [write.client(f"meter-{unit}", unit, meter_model="schneider_em6400", profile="full_power", poll_interval=1,
                            mqtt_interval=1, expose_via_tcp=True) for unit in range(1, count + 1)]
    for client in clients:
        del client["registers"]
    return {"slave_config": write.slaves(write.tcp(meters.port, *clients)),
            "communication": write.communication(write.mqtt(broker.port), write.gateway(free_port()))}


def measure_start(meters, broker, subscriber):
    subscriber.messages.clear()
    gateway = Lightship(wait_ready=False, **site(meters, broker, 1))
    began = time.monotonic()
    gateway.start()
    first = eventually(lambda: next((m for m in list(subscriber.messages) if m.topic.startswith("site/")), None), 20, "a reading")
    gateway.await_ready()
    gateway.stop()
    return 1000 * (first.at - began)


def memory_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: int(line.split()[1]) for line in status.splitlines() if (key := line.split(":")[0]) in ("VmRSS", "RssAnon")}


def measure_memory(meters, broker, subscriber):
    gateway = Lightship(**site(meters, broker, METERS)).start()
    time.sleep(SETTLED_S)
    heard = {m.topic for m in list(subscriber.messages) if m.topic.startswith("site/")}
    if len(heard) < METERS:
        raise AssertionError(f"only {len(heard)} of {METERS} meters were heard")
    used = memory_kib(gateway.process.pid)
    gateway.stop()
    return used


def say(name, ours, unit, aim, **more):
    print(json.dumps({"name": name, "ours": round(ours, 2), "peer": None, "ratio": None, "unit": unit, "higher_is_better": False,
                      "aim": aim, **more}), flush=True)


def main():
    meters = Meters()
    broker = Mosquitto()
    try:
        broker.start()
        subscriber = Subscriber(broker.port).start()
        starts = [measure_start(meters, broker, subscriber) for _ in range(STARTS)]
        say("Start to first reading at the broker", statistics.median(starts), "ms", 300, all=[round(s) for s in starts])
        subscriber.messages.clear()
        used = measure_memory(meters, broker, subscriber)
        say(f"Anonymous memory with {METERS} meters (RssAnon)", used["RssAnon"] / 1024, "MiB", 6)
        say(f"Resident memory with {METERS} meters (VmRSS)", used["VmRSS"] / 1024, "MiB", None)
    finally:
        broker.stop()


if __name__ == "__main__":
    try:
        main()
    except unittest.SkipTest as why:
        print(f"skipped: {why}")
