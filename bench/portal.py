"""What the portal costs: an endpoint beside nginx, live feeds in memory, and polls while many watch.

    portal.py [--seconds 5] [--only NAME]

A site of 32 devices of 16 floats, polled every second. `/api/device-health` with a session, as wrk asks it over loopback,
beside nginx (one worker) that serves the same bytes as a file with the same connections; the CPU of each server
is told too, and with it requests for a second of one core. Feeds: the private memory of 1,000 live clients that
watch all devices and one of them. Lateness: when the requests to a device arrived, by the kernel's clock, against
the grid of its interval, with nobody and with 200 watching.
"""
import argparse
import asyncio
import json
import os
import pathlib
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import configuration as write  # noqa: E402
from support.program import Lightship  # noqa: E402
from support.waiting import eventually, free_port  # noqa: E402
from support.websocket import Watcher, WebSocket  # noqa: E402

DEVICES = 32
CONNECTIONS = 32
BROWSERS = 200
FEEDS = 1000
PER_TOKEN = 30
INTERVAL_S = 1.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SO_TIMESTAMPNS = 35


def cpu_s(*pids):
    """User and system time of all threads of these processes."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_SECOND


def anonymous_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


def say(name, ours, theirs, unit, aim, higher_is_better=True, **more):
    print(json.dumps({"name": name, "ours": round(ours, 3), "peer": theirs and round(theirs, 3), "ratio": round(ours / theirs, 3) if theirs else None,
                      "unit": unit, "higher_is_better": higher_is_better, "aim": aim, **more}), flush=True)


class Devices:
    """Answers every unit with floats, and keeps by the kernel's clock when each request came."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        while True:
            try:
                data, notes, _, _ = peer.recvmsg(4096, 64)
                if not data:
                    return
                when = next((struct.unpack("qq", text) for _, kind, text in notes if kind == SO_TIMESTAMPNS), None)
                while len(data) >= 12:
                    transaction, _, length, unit, function, _, count = struct.unpack(">HHHBBHH", data[:12])
                    if when:
                        self.heard.append((unit, function, data[8:12], when[0] + when[1] / 1e9))
                    body = struct.pack(">BBB", unit, function, 2 * count) + struct.pack(f">{count}H", *[0x4366, 0x4000] * (count // 2), *[0] * (count % 2))
                    peer.sendall(struct.pack(">HHH", transaction, 0, len(body)) + body)
                    data = data[6 + length:]
            except OSError:
                return


def site(port):
    points = {f"p{at}": {"address": 2 * at, "function": 3, "data_type": "float32", "unit": "kW"} for at in range(16)}
    clients = [{"id": f"meter-{unit}", "type": "electrical", "unit_id": unit, "poll_interval": INTERVAL_S, "registers": points} for unit in range(1, DEVICES + 1)]
    connections = [write.tcp(port, *clients[at:at + 8], name=f"line-{at // 8 + 1}") for at in range(0, DEVICES, 8)]
    return {"slave_config": write.slaves(*connections),
            "portal": {"listen": f"127.0.0.1:{free_port()}", "limits": {"guests": 0, "sessions": 0}}}


def new_token(admin, name):
    made = admin.post("/api/tokens", {"name": name, "role": "viewer", "days": 1})
    if made.status != 201:
        raise AssertionError(made)
    return made.json["token"]


class Nginx:
    """One worker that serves one file."""

    def __init__(self, body):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lightship-nginx-"))
        (self.folder / "api").mkdir()
        (self.folder / "api" / "device-health").write_bytes(body)
        self.port = free_port()
        (self.folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
{"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; default_type application/json;
  open_file_cache max=10; open_file_cache_valid 3600;
  client_body_temp_path {self.folder}/a; proxy_temp_path {self.folder}/b; fastcgi_temp_path {self.folder}/c; uwsgi_temp_path {self.folder}/d; scgi_temp_path {self.folder}/e;
  server {{ listen 127.0.0.1:{self.port}; root {self.folder}; }}
}}""")
        self.process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-p", self.folder, "-c", self.folder / "nginx.conf"], stdin=subprocess.DEVNULL)
        eventually(self.answers, 5, "nginx")
        self.workers = [int(pid) for pid in subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()]

    def answers(self):
        with socket.socket() as peer:
            return peer.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def wrk(port, seconds, pids, *headers):
    """Requests a second, those that were not answered well, and CPU of the server."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    before = cpu_s(*pids)
    said = subprocess.run([*command, f"http://127.0.0.1:{port}/api/device-health"], capture_output=True, text=True, check=True).stdout
    used = cpu_s(*pids) - before
    rate = float(said.split("Requests/sec:")[1].split()[0])
    total = int(said.split(" requests in")[0].split()[-1])
    if "Non-2xx" in said or "Socket errors" in said:
        raise AssertionError(f"not all were answered well:\n{said}")
    return {"rate": rate, "cpu_s": round(used, 2), "per_core": total / max(used, 0.01), "p99": said.split("99%")[1].split()[0]}


def measure_requests(gateway, login, seconds):
    if not (shutil.which("wrk") and (shutil.which("nginx") or os.path.exists("/usr/sbin/nginx"))):
        return print("skipped: wrk and nginx are not here", flush=True)
    body = login.get("/api/device-health").body.encode()
    if len(json.loads(body)["items"]) != DEVICES:
        raise AssertionError(body[:300])
    nginx = Nginx(body)
    try:
        rounds = []
        for _ in range(3):  # one after the other, so that both meet the same machine
            ours = wrk(gateway.portal[1], seconds, [gateway.process.pid], f"Cookie: {login.cookie}")
            theirs = wrk(nginx.port, seconds, nginx.workers)
            rounds.append((ours, theirs))
        ours, theirs = sorted(rounds, key=lambda both: both[0]["rate"] / both[1]["rate"])[1]
        say("Requests of /api/device-health, 32 devices", ours["rate"], theirs["rate"], "per second", 0.5 * theirs["rate"], bytes=len(body), lightship=ours, nginx=theirs)
        say("The same for each second of CPU", ours["per_core"], theirs["per_core"], "per second", 0.5 * theirs["per_core"])
    finally:
        nginx.stop()


async def open_feeds(gateway, tokens, count, also):
    host, port = gateway.portal
    feeds = []
    for i in range(count):
        feed = await WebSocket.open(host, port, "/api/live", Authorization=f"Bearer {tokens[i // PER_TOKEN]}")
        await feed.send({"subscribe": ["devices", *also(i)]})
        feeds.append(feed)
    return feeds


async def follow(feed, watcher, end):
    try:
        while (left := end - time.monotonic()) > 0:
            watcher.take(await feed.receive(left))
    except asyncio.TimeoutError:
        pass


async def watch(gateway, tokens, count, seconds, at_end=None):
    """So many clients on all devices and one of them; what they got."""
    feeds = await open_feeds(gateway, tokens, count, lambda i: [f"device:line-{1 + i % 4}/meter-{1 + i % 4 * 8 + i % 8}"])
    watchers = [Watcher() for _ in feeds]
    end = time.monotonic() + seconds
    await asyncio.gather(*(follow(f, w, end) for f, w in zip(feeds, watchers)))
    if any(w.gaps or w.errors or len(w.data) != 2 for w in watchers):
        raise AssertionError("a client had a gap, an error or too little")
    result = at_end() if at_end else None
    for feed in feeds:
        feed.close()
    return result, sum(w.deltas for w in watchers) / count / seconds


def overruns(gateway):
    return sum(float(line.split()[-1]) for line in gateway.get("/metrics").body.splitlines() if line.startswith("lightship_modbus_overruns_total"))


def lateness(heard):
    """Milliseconds behind the grid of its interval, of each poll, sorted. The grid is where the earliest was."""
    series = {}
    for unit, function, block, when in heard:
        series.setdefault((unit, function, block), []).append(when)
    late = []
    for times in series.values():
        phases = [when - INTERVAL_S * round((when - times[0]) / INTERVAL_S) for when in times]
        late += [1000 * (phase - min(phases)) for phase in phases]
    return sorted(late)


def p99(values):
    return values[min(len(values) - 1, 99 * len(values) // 100)]


def measure_lateness(gateway, devices, tokens, seconds):
    found = {}
    for count in (0, BROWSERS):
        before = overruns(gateway)
        devices.heard.clear()
        per_second = None
        if count:
            _, per_second = asyncio.run(watch(gateway, tokens, count, seconds))
        else:
            time.sleep(seconds)
        late = lateness(list(devices.heard))
        found[count] = {"late_polls": overruns(gateway) - before, "p99_ms": p99(late), "polls": len(late), "max_ms": late[-1], "deltas_per_client_s": per_second}
    say(f"Late polls while {BROWSERS} browsers watch", found[BROWSERS]["late_polls"], None, f"of {found[BROWSERS]['polls']}", 0, False, nobody=found[0]["late_polls"])
    say(f"Poll lateness, 99 of 100, {BROWSERS} watch (peer: none)", found[BROWSERS]["p99_ms"], found[0]["p99_ms"], "ms", 10, False, watched=found[BROWSERS], alone=found[0])


def measure_memory(gateway, tokens, seconds):
    pid = gateway.process.pid
    before = anonymous_kib(pid)
    after, per_second = asyncio.run(watch(gateway, tokens, FEEDS, seconds, lambda: anonymous_kib(pid)))
    say(f"Memory for each live client, {FEEDS} of them (RssAnon)", (after - before) / FEEDS, None, "KiB", 20, False, before_kib=before, after_kib=after,
        deltas_per_client_s=round(per_second, 2))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--only", default="")
    options = options.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    devices = Devices()
    gateway = Lightship(**site(devices.port)).start()
    try:
        login = gateway.admin()
        tokens = [new_token(login, f"bench-{i}") for i in range(-(-FEEDS // PER_TOKEN))]
        time.sleep(3)
        if options.only in "memory":  # first, so that it finds nothing that others have left free
            measure_memory(gateway, tokens, 2 * options.seconds)
        if options.only in "lateness":
            measure_lateness(gateway, devices, tokens, 4 * options.seconds)
        if options.only in "requests":
            measure_requests(gateway, login, options.seconds)
    finally:
        gateway.stop()


if __name__ == "__main__":
    main()
