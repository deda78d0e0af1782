"""The portal as a service: restarted in place, encrypted, in the way of nobody."""
import http.client
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile

from support import Lightship, TestCase, configuration as c, eventually, free_port, lightship, modbus
from support.portal import Visitor, unchecked_tls
from support.program import clean_environment, lightship_binary


def started_at(ship):
    return ship.get("/api/status").json["started"]


class RestartInPlace(TestCase):
    def test_the_program_answers_first_and_comes_back_as_the_same_process_with_the_same_session(self):
        device = self.start(modbus.libmodbus_tcp())
        ship = self.start(Lightship(slave_config=c.slaves(c.tcp(device.port, c.client()))))
        before, pid = started_at(ship), ship.process.pid
        answer = ship.admin().post("/api/service/restart")
        self.assertEqual(answer.status, 202, answer)

        def back():
            try:
                return started_at(ship) != before
            except (OSError, http.client.HTTPException, AssertionError, KeyError):
                return False
        eventually(back, 15, "the program came back")
        self.assertTrue(ship.running())
        self.assertEqual(ship.process.pid, pid)
        self.assertIn("lightship", pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode())
        # What was open before is not open twice.
        self.assertLess(len(os.listdir(f"/proc/{pid}/fd")), 60)
        ship.terminate()

    def test_again_and_again(self):
        ship = self.start(Lightship())
        for _ in range(3):
            before = started_at(ship)
            self.assertEqual(ship.admin().post("/api/service/restart").status, 202)

            def back():
                try:
                    return started_at(ship) != before
                except (OSError, http.client.HTTPException, AssertionError, KeyError):
                    return False
            eventually(back, 15, "the program came back")
        self.assertEqual(ship.get("/readyz").status, 200)

    def test_one_part_alone(self):
        device = self.start(modbus.libmodbus_tcp())
        ship = self.start(Lightship(slave_config=c.slaves(c.tcp(device.port, c.client(), name="main"))))
        before = started_at(ship)
        answer = ship.admin().post("/api/service/restart", {"part": "modbus/main"})
        self.assertEqual(answer.status, 202, answer)
        ship.wait_for_log_text("part restarted", "modbus/main")
        self.assertEqual(started_at(ship), before)
        missing = ship.admin().post("/api/service/restart", {"part": "modbus/none"})
        self.assertEqual(missing.status, 404)
        self.assertIn("modbus/main", missing.json["detail"])
        for wrong in ({"part": 7}, {"part": ""}, {"part": "x" * 300}):
            self.assertEqual(ship.admin().post("/api/service/restart", wrong).status, 422)

    def test_systemd_hears_of_a_reload_and_not_of_a_stop(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, tempfile.TemporaryDirectory() as folder:
            notify.bind(folder + "/notify")
            notify.settimeout(15)
            ship = self.start(Lightship(env={"NOTIFY_SOCKET": folder + "/notify", "WATCHDOG_USEC": 2_000_000}))
            heard = []

            def hear(word):
                while not any(word in text for text in heard):
                    heard.append(notify.recv(65536).decode())
            hear("READY=1")
            heard.clear()
            self.assertEqual(ship.admin().post("/api/service/restart").status, 202)
            hear("RELOADING=1")
            hear("READY=1")
            heard = heard[next(i for i, text in enumerate(heard) if "READY=1" in text):]
            hear("WATCHDOG=1")  # the new one feeds it too
            self.assertFalse([text for text in heard if "STOPPING" in text])

    def test_the_demo_comes_back_too(self):
        with subprocess.Popen([lightship_binary(), "demo", "--portal-port", "0", "--gateway-port", "0", "--mqtt-port", "0"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env=clean_environment()) as demo:
            try:
                facts = {}
                for line in demo.stdout:
                    name, _, rest = line.strip().partition(" ")
                    facts[name] = rest
                    if name == "login":
                        break
                host, port = facts["portal"].removeprefix("http://").split(":")
                visitor = Visitor(lambda: (host, int(port))).come_in("admin", facts["login"].split()[1])
                before = visitor.get("/api/status").json["started"]
                self.assertEqual(visitor.post("/api/service/restart").status, 202)

                def back():
                    try:
                        return visitor.get("/api/status").json["started"] != before
                    except (OSError, http.client.HTTPException, AssertionError, KeyError):
                        return False
                eventually(back, 15, "the demo's gateway came back")
                self.assertIsNone(demo.poll())
            finally:
                demo.send_signal(signal.SIGTERM)


class Encryption(TestCase):
    def test_a_certificate_of_its_own(self):
        ship = self.start(Lightship(wait_ready=False, portal={"listen": f"127.0.0.1:{free_port()}", "tls": "auto"}))
        url = eventually(lambda: (ship.data / "portal.url").exists() and (ship.data / "portal.url").read_text().strip(), 10, "portal.url")
        self.assertTrue(url.startswith("https://"))
        self.assertEqual((ship.data / "portal-key.pem").stat().st_mode & 0o777, 0o600)
        visitor = ship.visitor(tls=unchecked_tls())
        self.assertEqual(visitor.get("/healthz").status, 200)
        # Who trusts the certificate needs no exception: its names are this machine's.
        trusting = ssl.create_default_context(cafile=str(ship.data / "portal-cert.pem"))
        answer = ship.visitor(tls=trusting).log_in("admin", eventually(ship.first_password, 10, "the first password"))
        self.assertEqual(answer.status, 200)
        self.assertIn("Secure", answer.headers["Set-Cookie"])
        with self.subTest("old versions are refused"):
            old = unchecked_tls()
            old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            old.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                ship.visitor(tls=old).get("/healthz")
        with self.subTest("plain HTTP is told where to go"):
            told = ship.visitor().get("/devices?x=1", Host="box.example:8080")
            self.assertEqual((told.status, told.headers["Location"]), (308, "https://box.example:8080/devices?x=1"))
        with self.subTest("lightship status"):
            self.assertEqual(lightship("status", "--data", ship.data, "--json").json["device_id"], "lightship")
            told = lightship("status", "--url", url.replace("127.0.0.1", "localhost"), "--ca-file", ship.data / "portal-cert.pem")
            self.assertEqual(told.status, 0, told)
        fingerprint = ship.wait_for_log(lambda r: r.get("event") == "certificate")["sha256"]
        ship.terminate()
        after = len(ship.log())
        ship.start_again()
        again = ship.wait_for_log(lambda r: r.get("event") == "certificate", after=after)
        self.assertEqual(again["sha256"], fingerprint)

    def test_a_certificate_that_is_wrong_is_said_and_nothing_is_served_in_plain(self):
        port = free_port()
        ship = Lightship(wait_ready=False, portal={"listen": f"127.0.0.1:{port}", "tls": {"certificate": "cert.pem", "key": "key.pem"}})
        for name in ("cert.pem", "key.pem"):
            (ship.config / name).write_text("neither certificate nor key")
        self.start(ship)
        ship.wait_for_log_text("cannot listen", "cert.pem")
        with self.assertRaises(ConnectionError):
            ship.visitor().get("/healthz")

    def test_one_of_the_sites_own(self):
        from support import Authority
        folder = pathlib.Path(tempfile.mkdtemp(prefix="lightship-ca-"))
        self.addCleanup(lambda: subprocess.run(["rm", "-r", folder], check=True))
        authority = Authority(folder / "ca")
        certificate, key = authority.issue("portal")
        ship = Lightship(wait_ready=False, portal={"listen": f"127.0.0.1:{free_port()}", "tls": {"certificate": str(certificate), "key": str(key)}})
        self.start(ship)
        eventually(lambda: (ship.data / "portal.url").exists(), 10, "portal.url")
        trusting = ssl.create_default_context(cafile=str(authority.ca))
        self.assertEqual(ship.visitor(tls=trusting).get("/healthz").status, 200)
        first = ship.wait_for_log(lambda r: r.get("event") == "certificate")["sha256"]
        # A renewed one is taken with a reload.
        renewed, key = authority.issue("renewed")
        pathlib.Path(certificate).with_suffix(".key").write_bytes(pathlib.Path(key).read_bytes())
        pathlib.Path(certificate).write_bytes(pathlib.Path(renewed).read_bytes())
        ship.reload()
        ship.wait_for_log(lambda r: r.get("event") == "certificate" and r["sha256"] != first)
        eventually(lambda: self._answers(ship.visitor(tls=trusting)), 10, "the portal is back")

    def _answers(self, visitor):
        try:
            return visitor.get("/healthz").status == 200
        except OSError:
            return False


class Alone(TestCase):
    def test_a_port_that_is_taken_is_said_and_polling_goes_on(self):
        device = self.start(modbus.libmodbus_tcp())
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            ship = Lightship(slave_config=c.slaves(c.tcp(device.port, c.client())), wait_ready=False, portal={"listen": f"127.0.0.1:{port}"})
            self.start(ship)
            ship.wait_for_log_text("cannot listen", str(port))
            seen = device.requests()
            eventually(lambda: device.requests() > seen, 15, "polling goes on")
        # Once it is free, it is taken.
        eventually(lambda: (ship.data / "portal.url").exists(), 15, "the portal listens")
        self.assertEqual(ship.visitor().get("/healthz").status, 200)

    def test_status_of_a_gateway_elsewhere_wants_a_token(self):
        ship = self.start(Lightship())
        made = ship.admin().post("/api/tokens", {"name": "watch", "role": "viewer", "days": 1})
        self.assertEqual(made.status, 201, made)
        host, port = ship.portal
        # Asked as another user of the machine would be: over HTTP.
        url = f"http://{host}:{port}"
        nobody = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(lightship_binary()), "status", "--url", url],
                                capture_output=True, text=True, env=clean_environment(), cwd="/")
        if nobody.returncode == 127 or "setpriv" in nobody.stderr:
            self.skipTest("setpriv cannot change the user here")
        self.assertEqual(nobody.returncode, 69, nobody)
        self.assertIn("wants an API token", nobody.stderr)
        known = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(lightship_binary()), "status", "--url", url, "--json"],
                               capture_output=True, text=True, env=clean_environment(LIGHTSHIP_TOKEN=made.json["token"]), cwd="/")
        self.assertEqual(known.returncode, 0, known)
        self.assertIn('"device_id"', known.stdout)
