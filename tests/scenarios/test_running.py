"""The life of the program: start, reload, signals, exit statuses, systemd, what it says of itself."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from support import (Lightship, Mosquitto, PacedLine, Process, Subscriber, TcpRelay, TestCase, configuration as c, eventually,
                     free_port, lightship, modbus)
from support.program import clean_environment, lightship_binary


class ExitStatuses(TestCase):
    def test_an_unknown_option_is_64(self):
        for arguments in (["run", "--konfig", "x"], ["check", "--no-such-option"], ["--no-such-option"], ["no-such-command"], []):
            with self.subTest(arguments=arguments):
                done = lightship(*arguments)
                self.assertEqual(done.status, 64, done)
                self.assertTrue(done.err.strip(), done)
                self.assertEqual(done.out, "")

    def test_a_missing_value_is_64(self):
        self.assertEqual(lightship("run", "--config").status, 64)

    def test_a_named_configuration_that_is_missing_is_78(self):
        done = lightship("run", "--config", self.folder / "nowhere", "--data", self.folder)
        self.assertEqual(done.status, 78, done)
        self.assertIn("nowhere", done.err + done.out)

    def test_one_named_by_the_environment_too(self):
        done = lightship("run", "--data", self.folder, env=clean_environment(CONFIG_DIR=self.folder / "nowhere"))
        self.assertEqual(done.status, 78, done)

    def test_a_wrong_configuration_is_78_and_told_with_its_place(self):
        (self.folder / "slave_config.yaml").write_text("conections: []\n")
        done = lightship("run", "--config", self.folder, "--data", self.folder / "data")
        self.assertEqual(done.status, 78, done)
        self.assertIn("slave_config.yaml:1:1", done.err + done.out)

    def test_a_data_directory_that_cannot_be_written_is_69(self):
        for what, path in (("below a file", self.folder / "file" / "data"), ("in /proc", "/proc/lightship")):
            with self.subTest(what):
                (self.folder / "file").write_text("")
                (self.folder / "config").mkdir(exist_ok=True)
                done = lightship("run", "--config", self.folder / "config", "--data", path)
                self.assertEqual(done.status, 69, done)
                self.assertIn(str(path), done.err + done.out)

    @unittest.skipIf(os.geteuid() == 0 and not os.path.exists("/usr/bin/setpriv"), "root may write everywhere")
    def test_a_data_directory_without_permission_is_69(self):
        config, data = self.folder / "config", self.folder / "data"
        self.folder.chmod(0o755)
        config.mkdir()
        data.mkdir(mode=0o555)
        argv = [lightship_binary(), "run", "--config", config, "--data", data]
        if os.geteuid() == 0:
            argv = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *argv]
        process = self.start(Process(argv, env=clean_environment()))
        if process.wait(10) == 127 or "setpriv: failed to execute" in process.text():
            self.skipTest("the program is in a folder that nobody else may enter")
        self.assertEqual(process.process.returncode, 69, process.said())

    def test_help_is_0_and_on_stdout(self):
        for arguments in (["--help"], ["run", "--help"], ["check", "--help"], ["read", "--help"], ["demo", "--help"]):
            with self.subTest(arguments=arguments):
                done = lightship(*arguments)
                self.assertEqual(done.status, 0, done)
                self.assertIn("lightship", done.out)

    def test_version(self):
        text, answer = lightship("version"), lightship("version", "--json")
        self.assertEqual((text.status, answer.status), (0, 0))
        self.assertRegex(answer.json["version"], r"^\d+\.\d+\.\d+")
        self.assertIn(answer.json["version"], text.out)


class FirstStart(TestCase):
    def test_default_directories_are_made_with_examples(self):
        environment = clean_environment(HOME=self.folder)
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            environment.pop(name, None)
        process = self.start(Process([lightship_binary(), "run", "--log-format", "json"], env=environment))
        config = self.folder / ".config" / "lightship"
        eventually(lambda: config.is_dir() and any(config.iterdir()), 10, "a configuration directory")
        eventually((self.folder / ".local" / "share" / "lightship" / "portal.url").exists, 10, "portal.url")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(3), 0, process.said())
        self.assertEqual(lightship("check", "--config", config).status, 0)

    def test_a_taken_default_port_of_the_portal_is_no_reason_to_stop(self):
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind(("127.0.0.1", 8080))
                taken.listen()
            except OSError:
                pass                                     # taken by somebody else: just as good
            ship = self.start(Lightship(portal=None))
            self.assertNotEqual(ship.portal[1], 8080)
            self.assertEqual(ship.get("/healthz").status, 200)


class Stopping(TestCase):
    def test_sigterm_and_sigint_are_exit_0_within_two_seconds(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                device, broker = self.start(modbus.libmodbus_tcp()), self.start(Mosquitto())
                ship = self.start(Lightship(slave_config=c.slaves(c.tcp(device.port)),
                                            communication=c.communication(c.mqtt(broker.port), c.gateway(free_port()))))
                broker.wait_for_line("Received PUBLISH from lightship-testsite")
                began = time.monotonic()
                ship.send_signal(number)
                self.assertEqual(ship.wait(2), 0, ship.said())
                self.assertLess(time.monotonic() - began, 2)

    def test_also_while_nothing_answers(self):
        silent = self.start(modbus.libmodbus_tcp())
        silent.silent()
        ship = self.start(Lightship(slave_config=c.slaves(c.tcp(silent.port, timeout=10), c.tcp(free_port(), name="b")),
                                    communication=c.communication(c.mqtt(free_port()))))
        eventually(lambda: silent.requests() > 0, 10, "a request under way")
        ship.terminate()

    def mqtt(self, port, **more):
        """A polled device whose messages go to `port`."""
        device = self.start(modbus.libmodbus_tcp())
        return Lightship(slave_config=c.slaves(c.tcp(device.port)), communication=c.communication(c.mqtt(port, **more)))

    def mute_server(self, **more):
        """(port, accepted connections): a server that takes connections and never says a word."""
        server = socket.create_server(("127.0.0.1", 0), **more)
        self.addCleanup(server.close)
        taken = []
        self.addCleanup(lambda: [s.close() for s in taken])

        def take():
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                pass
        threading.Thread(target=take, daemon=True).start()
        return server.getsockname()[1], taken

    def unreachable_port(self):
        """A port whose dialers wait for ever: nobody accepts, and the queue is full."""
        server = socket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        self.addCleanup(server.close)
        for _ in range(3):
            s = socket.socket()
            s.setblocking(False)
            self.addCleanup(s.close)
            s.connect_ex(server.getsockname())
        return server.getsockname()[1]

    def test_also_while_a_broker_does_not_answer_the_login(self):
        for name, more in (("plain", {}), ("TLS", {"use_tls": True}), ("WebSocket", {"transport": "websockets"})):
            with self.subTest(name):
                port, taken = self.mute_server()
                ship = self.start(self.mqtt(port, **more))
                eventually(lambda: taken, 10, "a connection to the broker")
                ship.terminate()

    def test_also_while_a_broker_hangs_with_messages_under_way(self):
        broker = self.start(Mosquitto())
        relay = self.start(TcpRelay(broker.port))
        ship = self.start(self.mqtt(relay.port))
        broker.wait_for_line("Received PUBLISH from lightship-testsite .*site/main/meter")
        relay.hold = True
        eventually(lambda: "mqtt" in ship.get("/metrics").body and self.waiting(ship) > 2, 10, "messages without acknowledgement")
        ship.terminate()
        relay.hold = False

    def waiting(self, ship):
        return float(re.search(r'^lightship_outbox_messages\{sink="mqtt"\} (\S+)$', ship.get("/metrics").body, re.M).group(1))

    def test_also_while_it_dials(self):
        port = self.unreachable_port()
        ship = self.start(Lightship(slave_config=c.slaves(c.tcp(port, timeout=10)), communication=c.communication(c.mqtt(port))))
        ship.terminate()

    def test_also_while_a_serial_line_is_silent(self):
        line = self.start(PacedLine())
        ship = self.start(Lightship(slave_config=c.slaves(c.serial(line.master_path, timeout=10, retries=3))))
        eventually(lambda: line.requests, 10, "a request on the line")
        ship.terminate()

    def test_also_in_the_middle_of_a_long_answer(self):
        line = self.start(PacedLine(baud=1200))
        self.start(modbus.libmodbus_rtu(line.device_paths[0], baud=1200))
        ship = self.start(Lightship(slave_config=c.slaves(c.serial(line.master_path, c.client(points=c.registers(125)), baud_rate=1200,
                                                                   timeout=5))))
        eventually(lambda: line.answers, 10, "an answer on its way, for two seconds")
        ship.terminate()

    def test_also_in_the_middle_of_a_reload(self):
        broker = self.start(Mosquitto())
        ship = self.start(self.mqtt(broker.port))
        broker.wait_for_line("Received PUBLISH from lightship-testsite")
        ship.write(communication=c.communication(c.mqtt(broker.port, keepalive=7)))
        ship.reload()
        ship.terminate()

    def test_also_while_it_still_reads_its_configuration(self):
        many = [c.tcp(free_port(), c.client(points=c.registers(100)), name=f"line-{i}") for i in range(100)]
        ship = self.start(Lightship(slave_config=c.slaves(*many), wait_ready=False))

        def takes_signals():
            status = pathlib.Path(f"/proc/{ship.pid}/status").read_text()
            masks = re.findall(r"^Sig(?:Blk|Cgt):\s+(\w+)$", status, re.M)
            return any(int(mask, 16) & 1 << signal.SIGTERM - 1 for mask in masks)
        eventually(takes_signals, 10, "SIGTERM is seen to", 0.001)
        self.assertEqual(ship.log(), [], "it has not begun yet")
        ship.terminate()

    def test_also_when_the_disk_has_filled_up(self):
        if os.geteuid() != 0:
            self.skipTest("only root may mount a small disk")
        data = self.folder / "data"
        data.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", data], capture_output=True).returncode != 0:
            self.skipTest("no tmpfs can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", data])
        broker, device = self.start(Mosquitto()), self.start(modbus.libmodbus_tcp())
        ear = self.start(Subscriber(broker.port))
        ship = self.start(Lightship(data=data, slave_config=c.slaves(c.tcp(device.port)), communication=c.communication(c.mqtt(broker.port))))
        eventually(lambda: (data / "outbox.db").exists() and (data / "outbox.db").stat().st_size > 1 << 20, 10, "room is kept")
        ear.wait_for_count("site/main/meter", 10)
        try:
            with open(data / "filler", "wb", buffering=0) as filler:
                while filler.write(bytes(4096)) > 0:
                    pass
        except OSError:
            pass
        self.assertEqual(os.statvfs(data).f_bavail, 0)
        seen = len(ear.snapshot("site/main/meter"))
        ear.wait_for_count("site/main/meter", seen + 50)  # it goes on
        ship.wait_for_log(lambda r: r["level"] == "error" and "disk is full" in r["event"], what="a full disk is said")
        ship.terminate()
        (data / "filler").unlink()
        ship.start_again()
        ear.wait_for_count("site/main/meter", len(ear.snapshot("site/main/meter")) + 3)
        numbers = [m.json["sequence"] for m in ear.snapshot("site/main/meter")]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)), "none is missing, none came twice")


class Reload(TestCase):
    def setUp(self):
        super().setUp()
        self.broker = self.start(Mosquitto())
        self.ear = self.start(Subscriber(self.broker.port))
        self.one, self.two = self.start(modbus.ScriptedDevice()), self.start(modbus.ScriptedDevice())
        self.port = free_port()
        self.ship = self.start(Lightship(slave_config=self.slaves(), communication=self.communication()))
        for name in ("one", "two"):
            self.await_message(name)

    def slaves(self, second_interval=0.2):
        return c.slaves(c.tcp(self.one.port, c.client(expose_via_tcp=True), name="one"),
                        c.tcp(self.two.port, c.client(unit=2, poll_interval=second_interval, mqtt_interval=second_interval,
                                                      expose_via_tcp=True), name="two"))

    def communication(self, **mqtt):
        return c.communication(c.mqtt(self.broker.port, **mqtt), c.gateway(self.port))

    def await_message(self, name, after=0):
        return self.ear.wait_for(lambda m: m.topic == f"site/{name}/meter", 15, f"a message of {name}", after)

    def reload(self):
        records = len(self.ship.log())
        self.ship.reload()
        return self.ship.wait_for_log(lambda r: "reload" in json.dumps(r).lower() or "configuration" in r["event"].lower(), 10,
                                      "a word about the reload", records)

    def test_a_wrong_configuration_changes_nothing(self):
        reader = modbus.RawTcp(self.port)
        self.addCleanup(reader.close)
        self.ship.write(slave_config="connections:\n  - id: one\n    conection_type: tcp\n")
        record = self.reload()
        self.assertIn(record["level"], ("warn", "error"), record)
        self.ship.wait_for_log_text("slave_config.yaml", "conection_type")
        for name in ("one", "two"):
            self.await_message(name, self.ear.count())
        self.assertEqual((self.one.connections, self.two.connections), (1, 1))
        self.assertEqual(reader.registers(1, 3, 0, 1), modbus.mapped(3, 0, 1))

    def restart(self, part):
        return lightship("restart", "--config", self.ship.config, part)

    def test_a_part_is_started_again_alone(self):
        parts = [p["name"] for p in json.loads(self.ship.get("/api/status").body)["parts"]]
        self.assertIn("modbus/two", parts)
        done = self.restart("modbus/two")
        self.assertEqual((done.status, done.out), (0, "modbus/two is restarted\n"), done)
        eventually(lambda: self.two.connections == 2, 10, "a new connection to the restarted one")
        self.assertEqual(self.one.connections, 1, "the other was started again")
        for part in parts:
            self.assertEqual(self.restart(part).status, 0, part)
        seen = self.ear.count()
        for name in ("one", "two"):
            self.await_message(name, seen)
            numbers = [m.json["sequence"] for m in self.ear.snapshot(f"site/{name}/meter")]
            self.assertEqual(sorted(set(numbers)), list(range(1, max(numbers) + 1)))
        audit = [json.loads(line) for line in (self.ship.data / "audit.jsonl").read_text().splitlines()]
        self.assertEqual([a["part"] for a in audit if a["event"] == "restart"], ["modbus/two", *parts])

    def test_a_part_that_is_not_there_is_named_with_those_that_are(self):
        done = self.restart("modbus/three")
        self.assertEqual(done.status, 64, done)
        self.assertIn("no part is called 'modbus/three'; there are: ", done.err)
        self.assertIn("modbus/two", done.err)
        self.ship.stop()
        self.assertEqual(self.restart("modbus/two").status, 69)

    def test_a_part_is_started_again_also_where_the_audit_cannot_be_written(self):
        (self.ship.data / "audit.jsonl").mkdir()
        self.assertEqual(self.restart("modbus/two").status, 0)
        eventually(lambda: self.two.connections == 2, 10, "a new connection to the restarted one")
        record = self.ship.wait_for_log_text("audit", "modbus/two")
        self.assertIn(record["level"], ("warn", "error"), record)

    def test_restarts_and_reloads_at_once_come_one_after_the_other(self):
        running = [subprocess.Popen([lightship_binary(), "restart", "--config", self.ship.config, part], env=clean_environment())
                   for part in ("modbus/one", "modbus/two") * 4]
        for _ in range(5):
            self.ship.reload()
        for process in running:
            self.assertEqual(process.wait(20), 0)
        seen = self.ear.count()
        for name in ("one", "two"):
            self.await_message(name, seen)
        names = [p["name"] for p in json.loads(self.ship.get("/api/status").body)["parts"]]
        self.assertEqual(len(names), len(set(names)))

    def test_only_what_changed_is_started_again(self):
        reader = modbus.RawTcp(self.port)
        self.addCleanup(reader.close)
        before = max(m.json["sequence"] for m in self.ear.snapshot("site/one/meter"))
        sessions = len(re.findall(r"New client connected .* as lightship-testsite", self.broker.text()))
        self.ship.write(slave_config=self.slaves(second_interval=0.5))
        self.reload()
        eventually(lambda: self.two.connections == 2, 10, "a new connection to the changed one")
        seen = self.ear.count()
        for name in ("one", "two"):
            self.await_message(name, seen)
        self.assertEqual(self.one.connections, 1, "the untouched connection was started again")
        self.assertEqual(reader.registers(1, 3, 0, 1), modbus.mapped(3, 0, 1), "the gateway was started again")
        self.assertEqual(len(re.findall(r"New client connected .* as lightship-testsite", self.broker.text())), sessions)
        numbers = [m.json["sequence"] for m in self.ear.snapshot("site/one/meter")]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertGreater(len(numbers), before)
        numbers = [m.json["sequence"] for m in self.ear.snapshot("site/two/meter")]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_nothing_changed_starts_nothing_again(self):
        self.reload()
        for name in ("one", "two"):
            self.await_message(name, self.ear.count())
        self.assertEqual((self.one.connections, self.two.connections), (1, 1))

    def test_each_of_several_is_told(self):
        for interval in (0.3, 0.2, 0.3):
            self.ship.write(slave_config=self.slaves(second_interval=interval))
            self.assertIn("modbus/two", json.dumps(self.reload()))

    def test_a_device_that_is_sent_no_more_and_again(self):
        def slaves(**more):
            return c.slaves(c.tcp(self.one.port, c.client(expose_via_tcp=True), name="one"),
                            c.tcp(self.two.port, c.client(unit=2, expose_via_tcp=True, **more), name="two"))
        self.ship.write(slave_config=slaves(mqtt_enabled=False))
        self.reload()
        silent_from = len(self.ear.snapshot("site/two/meter"))
        for _ in range(5):
            self.await_message("one", self.ear.count())
        self.assertLessEqual(len(self.ear.snapshot("site/two/meter")), silent_from + 1)
        self.ship.write(slave_config=slaves())
        self.reload()
        self.await_message("two", self.ear.count())
        for name in ("one", "two"):
            numbers = [m.json["sequence"] for m in self.ear.snapshot(f"site/{name}/meter")]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertEqual(len(re.findall(r"New client connected .* as lightship-testsite", self.broker.text())), 1)

    def test_a_connection_comes_and_goes(self):
        self.ship.write(slave_config=c.slaves(c.tcp(self.one.port, c.client(expose_via_tcp=True), name="one"),
                                              c.tcp(self.two.port, name="three")))
        self.reload()
        self.await_message("three", self.ear.count())
        last = self.ear.count()
        self.await_message("one", last)
        self.ear.wait_for_count("site/three/meter", 5)
        self.assertFalse([m for m in self.ear.messages[last + 3:] if m.topic == "site/two/meter"])
        self.assertEqual(self.one.connections, 1)

    def test_the_gateway_is_switched_off_and_on(self):
        self.ship.write(communication=c.communication(c.mqtt(self.broker.port), c.gateway(self.port, enabled=False)))
        self.reload()

        def closed():
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return False
            except ConnectionRefusedError:
                return True
        eventually(closed, 10, "a closed port")
        self.assertEqual((self.one.connections, self.two.connections), (1, 1))
        self.ship.write(communication=self.communication())
        self.reload()
        eventually(lambda: not closed(), 10, "an open port")
        client = modbus.RawTcp(self.port)
        self.addCleanup(client.close)
        self.assertEqual(client.registers(1, 3, 0, 10), modbus.mapped(3, 0, 10), "the cache is the old one")


class LogLevels(TestCase):
    def test_sigusr1_and_sigusr2_make_it_more_and_less_talkative(self):
        device = self.start(modbus.libmodbus_tcp())
        ship = self.start(Lightship(slave_config=c.slaves(c.tcp(device.port))))
        self.assertFalse([r for r in ship.log() if r["level"] == "debug"])
        ship.send_signal(signal.SIGUSR1)
        ship.wait_for_log(lambda r: r["level"] == "debug", 10, "a debug line")
        ship.send_signal(signal.SIGUSR2)
        polls = device.requests()
        eventually(lambda: device.requests() > polls + 3, 10, "more polls")
        seen = len(ship.log())
        polls = device.requests()
        eventually(lambda: device.requests() > polls + 5, 10, "more polls")
        self.assertFalse([r for r in ship.log()[seen:] if r["level"] == "debug"])

    def test_json_lines_have_time_level_source_and_event(self):
        ship = self.start(Lightship())
        ship.terminate()
        lines = [json.loads(text) for _, stream, text in ship.lines if text.startswith("{")]
        self.assertTrue(lines)
        for record in lines:
            self.assertLessEqual({"time", "level", "source", "event"}, set(record))

    def test_the_level_option_wins_over_the_environment(self):
        device = self.start(modbus.libmodbus_tcp())
        ship = self.start(Lightship(["--log-level", "ERROR"], env={"LOG_LEVEL": "DEBUG"},
                                    slave_config=c.slaves(c.tcp(device.port))))
        eventually(lambda: device.requests() > 3, 10, "polls")
        self.assertEqual({r["level"] for r in ship.log()} - {"error"}, set())


class TwoInstances(TestCase):
    def test_one_data_directory_is_for_one_of_them(self):
        first = self.start(Lightship())
        (self.folder / "config").mkdir()
        second = lightship("run", "--config", self.folder / "config", "--data", first.data)
        self.assertEqual(second.status, 69, second)
        self.assertIn(str(first.data), second.err + second.out)
        self.assertEqual(first.get("/healthz").status, 200)

    def test_two_directories_are_two_instances(self):
        first, second = self.start(Lightship()), self.start(Lightship())
        self.assertEqual((first.get("/healthz").status, second.get("/healthz").status), (200, 200))

    def test_the_directory_is_free_again_after_kill_9(self):
        ship = self.start(Lightship())
        ship.kill_9()
        ship.start_again()
        self.assertEqual(ship.get("/readyz").status, 200)


class Systemd(TestCase):
    def setUp(self):
        super().setUp()
        self.path = str(self.folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(self.path)
        self.heard = []

    def hear(self, predicate, within=10):
        """The first datagram, as a dict, for which the predicate is true."""
        end = time.monotonic() + within
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                said = dict(line.split("=", 1) for line in self.socket.recv(65536).decode().splitlines() if "=" in line)
            except TimeoutError:
                break
            self.heard.append((time.monotonic(), said))
            if predicate(said):
                return said
        self.fail(f"not within {within} s; heard {[s for _, s in self.heard]}")

    def test_ready_status_watchdog_reloading_and_stopping(self):
        ship = Lightship(env={"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": 600000}, wait_ready=False)
        self.start(ship)
        self.hear(lambda s: s.get("READY") == "1")
        self.hear(lambda s: s.get("STATUS")) if not any(s.get("STATUS") for _, s in self.heard) else None
        for _ in range(4):
            self.hear(lambda s: s.get("WATCHDOG") == "1")
        beats = [at for at, s in self.heard if s.get("WATCHDOG") == "1"]
        self.assertLess(max(b - a for a, b in zip(beats, beats[1:])), 0.6)
        ship.send_signal(signal.SIGTERM)
        self.hear(lambda s: s.get("STOPPING") == "1")
        self.assertEqual(ship.wait(2), 0)

    def test_an_abstract_socket(self):
        name = f"lightship-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind("\0" + name)
            s.settimeout(10)
            self.start(Lightship(env={"NOTIFY_SOCKET": "@" + name}))
            said = s.recv(65536).decode()
            while "READY=1" not in said:
                said = s.recv(65536).decode()

    def test_without_a_watchdog_there_is_no_feeding(self):
        self.start(Lightship(env={"NOTIFY_SOCKET": self.path}))
        self.hear(lambda s: s.get("READY") == "1")
        self.assertFalse([s for _, s in self.heard if "WATCHDOG" in s])


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? '
                    r"([+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|Inf)|NaN)( -?\d+)?$")


class WhatItSaysOfItself(TestCase):
    def test_healthz_and_readyz_answer_without_login(self):
        ship = self.start(Lightship())
        for path in ("/healthz", "/readyz"):
            self.assertEqual(ship.get(path).status, 200)

    def test_metrics_are_prometheus_text(self):
        device, broker = self.start(modbus.libmodbus_tcp()), self.start(Mosquitto())
        ship = self.start(Lightship(slave_config=c.slaves(c.tcp(device.port, c.client())),
                                    communication=c.communication(c.mqtt(broker.port), c.gateway(free_port()))))
        broker.wait_for_line("Received PUBLISH from lightship-testsite")
        answer = ship.get("/metrics")
        self.assertEqual(answer.status, 200)
        self.assertRegex(answer.getheader("Content-Type"), r"^text/plain; ?version=0\.0\.4")
        self.assertTrue(answer.body.endswith("\n"))
        types, seen, samples = {}, set(), {}
        for line in answer.body.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, types, "a family twice")
                self.assertIn(kind, ("counter", "gauge", "histogram", "summary", "untyped"))
                types[name] = kind
            elif line.startswith("#") or not line:
                continue
            else:
                self.assertRegex(line, SAMPLE)
                name, labels, value, _ = SAMPLE.match(line).groups()
                self.assertNotIn((name, labels), seen, "a sample twice")
                seen.add((name, labels))
                samples.setdefault(name, []).append(float(value))
                family = name if name in types else re.sub(r"_(total|bucket|sum|count)$", "", name)
                self.assertIn(family, types, f"{name} has no # TYPE")
                self.assertTrue(name.startswith(("lightship_", "process_")), name)
        self.assertTrue(any(sum(v) > 0 for v in samples.values()))

    def test_status_as_a_command(self):
        ship = self.start(Lightship())
        host, port = ship.portal
        done = lightship("status", "--url", f"http://{host}:{port}", "--json")
        self.assertIn(done.status, (0, 69), done)
        nobody = lightship("status", "--url", f"http://127.0.0.1:{free_port()}", "--json")
        self.assertEqual(nobody.status, 69, nobody)
