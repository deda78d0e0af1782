"""The history from outside: recorded, queried, killed a hundred times, damaged, on a disk that is full."""
import csv
import datetime
import io
import json
import os
import pathlib
import random
import signal
import socketserver
import sqlite3
import struct
import subprocess
import threading
import time
import unittest

import yaml

from support import Lightship, TestCase, configuration as c, eventually, lightship
from support.program import clean_environment, lightship_binary


class CountingDevice:
    """A Modbus TCP device whose register pair 0 counts the requests it has answered; `served` says when it gave which."""

    def __init__(self):
        self.count, self.served, self.stopped, device = 0, [], False, self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                while head := self.head():
                    if len(head) < 12 or device.stopped:
                        return
                    transaction, _, _, unit, function, _, quantity = struct.unpack(">HHHBBHH", head)
                    with device.lock:
                        device.count += 1
                        number = device.count
                    data = struct.pack(">I", number)[:2 * quantity].ljust(2 * quantity, b"\0")
                    try:
                        self.request.sendall(struct.pack(">HHHBBB", transaction, 0, 3 + len(data), unit, function, len(data)) + data)
                    except OSError:
                        return
                    device.served.append((time.monotonic(), number))

            def head(self):
                try:
                    return self.request.recv(12)
                except OSError:  # its gateway was killed
                    return b""

        self.lock = threading.Lock()
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler, bind_and_activate=True)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.stopped = True
        self.server.shutdown()
        self.server.server_close()


POINTS = {"count": {"address": 0, "function": 3, "data_type": "uint32"}}


def files(port, poll=0.05, **history):
    return {"slave_config": c.slaves(c.tcp(port, c.client(points=POINTS, poll_interval=poll, mqtt_enabled=False))),
            "communication": c.communication(history={"commit_every": 0.1, **history})}


def known(data):
    """The rows so far; none where nothing was recorded yet."""
    done = lightship("query", "main/meter/count", "--data", data, "--format", "json")
    return done.json["rows"] if done.status == 0 else []


def rows(data, point="main/meter/count", *options):
    done = lightship("query", point, "--data", data, "--from", "-1h", "--format", "json", *options)
    assert done.status == 0, done
    return done.json["rows"]


class Recorded(TestCase):
    def gateway(self, **more):
        self.device = CountingDevice()
        self.addCleanup(self.device.stop)
        return self.start(Lightship(data=self.data, **files(self.device.port, **more)))

    @property
    def data(self):
        return pathlib.Path(self.folder) / "data"

    def test_what_a_device_said_is_there_a_moment_later_while_the_gateway_runs(self):
        gateway = self.gateway()
        eventually(lambda: len(known(gateway.data)) > 10, 10, "values are recorded")
        values = [row["value"] for row in rows(gateway.data)]
        self.assertEqual(values, list(range(values[0], values[0] + len(values))))
        self.assertTrue(all(row["quality"] == "good" for row in rows(gateway.data)))

    def test_sigterm_writes_everything(self):
        gateway = self.gateway(commit_every=600)
        eventually(lambda: self.device.count > 20, 10, "some polls")
        gateway.stop()
        values = [row["value"] for row in rows(gateway.data)]
        self.assertGreaterEqual(values[-1], self.device.count - 1)
        self.assertEqual(values, list(range(values[0], values[0] + len(values))))
        minutes = rows(gateway.data, "main/meter/count", "--step", "1m")
        self.assertEqual(sum(row["count"] for row in minutes), len(values))

    def test_the_three_forms_say_the_same(self):
        gateway = self.gateway()
        eventually(lambda: len(known(gateway.data)) > 5, 10, "values are recorded")
        gateway.stop()
        told = rows(gateway.data)
        text = lightship("query", "main/meter/count", "--data", gateway.data, "--format", "csv").out
        listed = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([int(row["value"]) for row in listed], [row["value"] for row in told])
        self.assertEqual(list(listed[0]), ["time", "point", "value", "unit", "quality"])
        table = lightship("query", "main/meter/count", "--data", gateway.data).out.splitlines()
        self.assertEqual([int(line.split()[1]) for line in table[2:]], [row["value"] for row in told])
        time_of = datetime.datetime.fromisoformat(told[0]["time"].replace("Z", "+00:00"))
        since = (time_of + datetime.timedelta(milliseconds=1)).isoformat()
        later = lightship("query", "main/meter/count", "--data", gateway.data, "--from", since, "--format", "json").json["rows"]
        # Polls of a machine that had no time may be within one millisecond.
        self.assertEqual(later, [row for row in told if row["time"] > told[0]["time"]])
        self.assertTrue(later)

    def test_status_tells_what_is_written(self):
        gateway = self.gateway()
        part = lambda: next(p for p in json.loads(gateway.get("/api/status").body)["parts"] if p["name"] == "history")
        eventually(lambda: part()["written_today_bytes"] > 0 and part()["values"] > 5, 10, "status counts")
        self.assertIn("lightship_history_written_today_bytes", gateway.get("/metrics").body)
        self.assertEqual(part()["dropped"], 0)

    def test_a_silent_device_is_a_gap_with_its_reason(self):
        gateway = self.gateway()
        eventually(lambda: len(known(gateway.data)) > 3, 10, "values are recorded")
        self.device.stop()
        eventually(lambda: any(row["quality"] != "good" for row in known(gateway.data)), 10, "a reason is recorded")
        bad = [row for row in known(gateway.data) if row["quality"] != "good"]
        self.assertIsNone(bad[0]["value"])
        online = lightship("query", "main/meter/online", "--data", gateway.data, "--format", "json").json
        self.assertEqual(online["kind"], "state")
        self.assertIs(online["rows"][-1]["value"], False)

    def test_a_budget_that_is_spent_thins_out_and_raises_an_alert(self):
        gateway = self.gateway(write_budget=20_000)
        gateway.wait_for_log_text("the write budget of the day is spent, raw values are thinned out", within=15)


    def test_where_only_roll_ups_are_kept_they_are_the_answer(self):
        gateway = self.gateway()
        eventually(lambda: len(known(gateway.data)) > 5, 10, "values are recorded")
        gateway.stop()
        database = sqlite3.connect(self.data / "history.db")
        database.execute("DELETE FROM journal WHERE tier=0")  # as after the time of raw values
        database.commit()
        database.close()
        done = lightship("query", "main/meter/count", "--data", self.data, "--format", "json")
        self.assertEqual((done.status, done.json["step"]), (0, 60), done)
        self.assertGreater(sum(row["count"] for row in done.json["rows"]), 5)
        self.assertIn("only roll-ups of 1m are kept", done.err)
        table = lightship("query", "main/meter/count", "--data", self.data).out
        self.assertNotIn("nothing was recorded", table)

    def test_a_reload_with_another_unit_begins_another_series(self):
        gateway = self.gateway()
        unit = lambda name: {"count": {**POINTS["count"], "unit": name}}
        changed = lambda name: {"slave_config": c.slaves(c.tcp(self.device.port, c.client(points=unit(name), poll_interval=0.05,
                                                                                           mqtt_enabled=False)))}
        gateway.write(**changed("V"))
        gateway.reload()
        eventually(lambda: {row["value"] for row in known(gateway.data)}, 10, "values")
        time.sleep(1)
        gateway.write(**changed("mV"))
        gateway.reload()
        gateway.wait_for_log_text("units have changed, new series begin")
        both = lambda: lightship("query", "main/meter/count", "--data", gateway.data, "--format", "json").json
        eventually(lambda: isinstance(both(), list) and both()[0]["rows"], 10, "a new series")
        found = both()
        self.assertEqual([(one["point"], one["unit"]) for one in found],
                         [("main/meter/count", "mV"), ("main/meter/count@V", "V")])
        self.assertLess(max(row["time"] for row in found[1]["rows"]), max(row["time"] for row in found[0]["rows"]))


class Asked(TestCase):
    def test_without_a_database_it_is_69_and_with_a_wrong_point_64(self):
        done = lightship("query", "main/meter/count", "--data", self.folder)
        self.assertEqual(done.status, 69, done)
        self.assertIn("nothing was recorded yet", done.err)
        device = CountingDevice()
        self.addCleanup(device.stop)
        gateway = self.start(Lightship(**files(device.port)))
        eventually(lambda: "closest" in lightship("query", "main/meter/cuont", "--data", gateway.data).err, 10, "a suggestion")
        done = lightship("query", "main/meter/cuont", "--data", gateway.data)
        self.assertEqual(done.status, 64, done)
        self.assertIn("main/meter/count", done.err)

    def test_wrong_times_and_packets(self):
        for arguments in (["a/b/c", "--from", "yestreday"], ["a/b/c", "--step", "fast"], ["a/b/c", "--from", "now", "--to", "-1h"], []):
            done = lightship("query", *arguments, "--data", self.folder)
            self.assertEqual(done.status, 64, done)
            self.assertTrue(done.err.strip())
        done = lightship("query", "--packets", "--data", self.folder)
        self.assertEqual(done.status, 69)
        self.assertIn("no packets are recorded", done.err)


class KilledOften(TestCase):
    KILLS, SITES, SLACK = 100, 4, 0.7

    def test_a_hundred_kills_lose_only_what_was_not_committed(self):
        """Each site is killed at random moments; all it was told longer before than a commit takes must be there, once."""
        found = [None] * self.SITES
        threads = [threading.Thread(target=self.site, args=(i, found)) for i in range(self.SITES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for told in found:
            self.assertIsNotNone(told, "a site's thread failed")
            self.assertEqual(told["problems"], [])
        self.assertEqual(sum(told["kills"] for told in found), self.KILLS)
        self.assertGreater(sum(told["rows"] for told in found), self.KILLS)

    def site(self, number, found):
        dice = random.Random(1000 + number)
        folder = pathlib.Path(self.folder) / f"site{number}"
        (folder / "config").mkdir(parents=True)
        device = CountingDevice()
        contents = files(device.port) | {"portal": {"listen": "127.0.0.1:0"}}
        for name, content in contents.items():
            (folder / "config" / f"{name}.yaml").write_text(yaml.safe_dump(content))
        problems, runs = [], []
        try:
            for _ in range(self.KILLS // self.SITES):
                with open(folder / "log", "ab") as log:
                    process = subprocess.Popen([lightship_binary(), "run", "--config", folder / "config", "--data", folder / "data"],
                                               stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_environment())
                first, began = device.count, time.monotonic()
                until = time.monotonic() + 10
                while device.count == first and time.monotonic() < until:
                    time.sleep(0.005)
                time.sleep(dice.uniform(0.0, 2.0))
                process.kill()
                killed = time.monotonic()
                process.wait()
                runs.append((began + 0.02, killed))  # what was asked by the one before may be answered until then
            data = folder / "data"
            values = [row["value"] for row in rows(data) if row["quality"] == "good"]
            if values != sorted(set(values)):
                problems.append("values are twice or out of order")
            have = set(values)
            for at, value in device.served:
                killed = next((k for began, k in runs if began <= at <= k), None)
                if killed and value not in have and at < killed - self.SLACK:
                    problems.append(f"value {value} is missing, {killed - at:.2f} s before the kill")
            check = sqlite3.connect(data / "history.db").execute("PRAGMA quick_check").fetchone()[0]
            if check != "ok":
                problems.append(check)
            # The last run makes up the roll-ups of those that were killed.
            with open(folder / "log", "ab") as log:
                process = subprocess.Popen([lightship_binary(), "run", "--config", folder / "config", "--data", data],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_environment())
            time.sleep(1.5)
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            counted = sum(row["count"] for row in rows(data, "main/meter/count", "--step", "1m"))
            raw = [row for row in rows(data) if row["quality"] == "good"]
            if counted != len(raw):
                problems.append(f"the roll-ups count {counted} values, stored are {len(raw)}")
            found[number] = {"problems": problems[:5], "kills": len(runs), "rows": len(values)}
        finally:
            device.stop()


class Damaged(TestCase):
    def test_a_damaged_file_is_salvaged_and_the_gateway_runs_on(self):
        device = CountingDevice()
        self.addCleanup(device.stop)
        data = pathlib.Path(self.folder) / "data"
        gateway = self.start(Lightship(data=data, **files(device.port)))
        eventually(lambda: device.count > 100, 30, "some polls")
        gateway.stop()
        file = data / "history.db"
        before = [row["value"] for row in rows(data)]
        database = sqlite3.connect(file)
        page = database.execute("SELECT rootpage FROM sqlite_schema WHERE name='journal'").fetchone()[0]
        pages = database.execute("SELECT max(pageno) FROM dbstat WHERE name='journal'").fetchone()[0] if self.has_dbstat(database) else None
        database.close()
        with open(file, "r+b") as raw:
            raw.seek(((pages or page) - 1) * 4096)
            raw.write(b"\xff" * 4096)
        (data / "history.db-wal").write_bytes(b"")  # as after a power cut
        again = self.start(Lightship(data=data, **files(device.port)))
        again.wait_for_log_text("the history was damaged", within=15)
        self.assertTrue(list(data.glob("history.db.damaged-*")))
        eventually(lambda: len(known(data)) > 5, 10, "it records again")
        after = {row["value"] for row in known(data)}
        if pages and pages != page:
            self.assertGreater(len(after & set(before)), len(before) // 4, "most of it was saved")
        self.assertEqual(sqlite3.connect(file).execute("PRAGMA quick_check").fetchone()[0], "ok")

    @staticmethod
    def has_dbstat(database):
        try:
            database.execute("SELECT 1 FROM dbstat LIMIT 1")
            return True
        except sqlite3.OperationalError:
            return False

    def test_a_file_that_is_no_database_is_moved_aside(self):
        device = CountingDevice()
        self.addCleanup(device.stop)
        data = pathlib.Path(self.folder) / "data"
        data.mkdir()
        (data / "history.db").write_bytes(b"this is not a database at all " * 1000)
        gateway = self.start(Lightship(data=data, **files(device.port)))
        gateway.wait_for_log_text("the history was damaged", within=15)
        eventually(lambda: len(known(data)) > 5, 10, "it records")
        self.assertTrue(list(data.glob("history.db.damaged-*")))


@unittest.skipUnless(os.geteuid() == 0, "mounting a small disk needs root")
class SmallDisk(TestCase):
    def test_a_disk_that_fills_raises_an_alert_and_is_used_again_when_there_is_room(self):
        disk = pathlib.Path(self.folder) / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", disk])
        device = CountingDevice()
        self.addCleanup(device.stop)
        gateway = self.start(Lightship(data=disk, **files(device.port, poll=0.02)))
        eventually(lambda: len(known(disk)) > 5, 10, "it records")
        ballast = disk / "ballast"
        with open(ballast, "wb", buffering=0) as filling:
            try:
                while True:
                    filling.write(b"x" * 4096)
            except OSError:
                pass
        gateway.allowed_end = None
        gateway.wait_for_log_text("the history cannot be written", within=30)
        polled = device.count
        eventually(lambda: device.count > polled + 20, 5, "polling goes on")
        ballast.unlink()
        gateway.wait_for_log_text("the history is written again", within=15)
        time.sleep(0.5)
        values = [row["value"] for row in rows(disk) if row["quality"] == "good"]
        self.assertEqual(values, list(range(values[0], values[0] + len(values))), "nothing was lost while it waited")


if __name__ == "__main__":
    unittest.main()
