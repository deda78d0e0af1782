"""What the portal's API shows of the field, and what may be done to it: devices told offline by kind, registers, polls,
writes, explanations. The devices are one socket each that answers as it is told (Modbus RTU over TCP)."""
import fcntl
import json
import os
import socket
import struct
import threading

from support import Lightship, TestCase, configuration as c, eventually, modbus
from support.lines import Pty


class Meter:
    """A device behind a device server. `how` is asked for each request's answer, frame and all; b"" is silence."""

    def __init__(self, how=None):
        self.how = how or self.well
        self.registers = {}
        self.requests = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ended = False
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self._ended = True
        self._listener.close()

    def well(self, frame):
        unit, function = frame[0], frame[1]
        first, count = struct.unpack(">HH", frame[2:6])
        if function == 6:
            self.registers[first] = count
            return frame
        if function == 16:
            for i in range(count):
                self.registers[first + i] = struct.unpack(">H", frame[7 + 2 * i:9 + 2 * i])[0]
            return modbus.rtu(unit, frame[1:6])
        values = [self.registers.get(first + i, first + i) for i in range(count)]
        return modbus.rtu(unit, struct.pack(">BB", function, 2 * count) + struct.pack(f">{count}H", *values))

    def _accept(self):
        while not self._ended:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        heard = b""
        with peer:
            while not self._ended:
                try:
                    more = peer.recv(4096)
                except OSError:
                    return
                if not more:
                    return
                heard += more
                while len(heard) >= 8:
                    size = 9 + heard[6] if heard[1] == 16 else 8
                    if len(heard) < size:
                        break
                    frame, heard = heard[:size], heard[size:]
                    self.requests.append(frame)
                    if answer := self.how(frame):
                        peer.sendall(answer)


def damaged(frame):
    return frame[:-1] + bytes([frame[-1] ^ 0x55])


class PortalField(TestCase):
    def setUp(self):
        super().setUp()
        self.meter = Meter()
        self.addCleanup(self.meter.stop)

    def line(self, *clients, name="panel", port=None):
        return {"id": name, "label": "Main panel", "connection_type": "rtu_over_tcp", "host": "127.0.0.1", "port": port or self.meter.port,
                "timeout": 0.3, "retries": 0, "clients": list(clients or [c.client()])}

    def begin(self, *connections):
        self.ship = self.start(Lightship(slave_config=c.slaves(*(connections or [self.line()])), communication=c.communication()))
        self.admin = self.ship.admin()

    def get(self, path, status=200):
        answer = self.admin.get(path)
        self.assertEqual(answer.status, status, answer.body)
        return json.loads(answer.body)

    def device(self, name="panel/meter"):
        return next(d for d in self.get("/api/device-health")["items"] if d["id"] == name)

    def offline(self, kind, name="panel/meter"):
        def is_so():
            found = self.device(name)
            return found if found["state"] == "offline" and found["kind"] == kind else None
        return eventually(is_so, 15, f"offline as {kind}")

    def test_a_device_that_answers_is_ok_with_its_figures_and_registers(self):
        self.begin()
        found = eventually(lambda: d if (d := self.device())["state"] == "ok" and d["polls"] > 3 else None, 10, "the device is ok")
        self.assertEqual(found["connection_title"], "Main panel")
        self.assertIsNotNone(found["latency_p50_ms"])
        self.assertEqual(found["success_percent"], 100)
        self.assertEqual(found["availability"][-1], 1)
        points = self.get("/api/device/panel%2Fmeter/registers")["items"]
        self.assertEqual([p["value"] for p in points], list(range(10)))
        self.assertEqual([p["raw"] for p in points][9], "00 09")
        self.assertEqual(self.get("/api/device/meter/registers?point=r3")["items"][0]["address"], 3)
        self.get("/api/device/none/registers", 404)
        status = self.get("/api/status")
        self.assertEqual(status["overview"]["headline"], "Operating normally")
        self.assertEqual(status["device_id"], "testsite")

    def test_silence_is_told_from_damage_from_a_wrong_unit_and_from_exceptions(self):
        self.begin()
        eventually(lambda: self.device()["state"] == "ok", 10, "the device is ok")
        self.meter.how = lambda frame: b""
        found = self.offline("no_bytes")
        self.assertTrue(any("unit" in one for one in found["advice"]), found["advice"])
        self.meter.how = lambda frame: damaged(self.meter.well(frame))
        self.admin.post("/api/device/panel%2Fmeter/poll")
        self.offline("bad_crc")
        self.meter.how = lambda frame: self.meter.well(bytes([9]) + frame[1:])
        self.admin.post("/api/device/panel%2Fmeter/poll")
        self.offline("wrong_unit")
        self.meter.how = lambda frame: modbus.rtu(frame[0], bytes([frame[1] | 0x80, 11]))
        self.admin.post("/api/device/panel%2Fmeter/poll")
        self.offline("exception")
        said = self.get("/api/diag/explain?about=device:panel/meter")
        self.assertIn("refuses", said["answer"])
        self.meter.how = self.meter.well
        self.admin.post("/api/device/panel%2Fmeter/poll")
        eventually(lambda: self.device()["state"] in ("ok", "slow"), 10, "the device is back")

    def test_a_line_that_cannot_be_opened_and_a_port_that_is_taken(self):
        self.meter.stop()
        pty = Pty()
        self.addCleanup(pty.close)
        taken = socket.socket()
        self.addCleanup(taken.close)
        holder = os.open(pty.path, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, holder)
        fcntl.flock(holder, fcntl.LOCK_EX)
        self.begin(self.line(), c.serial(pty.path))
        self.offline("no_connection")
        found = self.offline("busy_port", "line/meter")
        self.assertIn("holds the port", found["last_error"])
        self.assertEqual(self.get("/api/status")["overview"]["state"], "alarm")

    def test_a_write_needs_the_role_and_the_permission_and_is_compared(self):
        points = {"limit": {"address": 20, "data_type": "uint16", "writable": True, "range": [0, 100]}, "power": {"address": 21, "data_type": "uint16"}}
        self.begin(self.line(c.client(points=points, allow_write=True)))
        eventually(lambda: self.device()["state"] == "ok", 10, "the device is ok")

        def write(body, who=None):
            return (who or self.admin).post("/api/device/panel%2Fmeter/write", body)
        done = write({"point": "limit", "value": 42, "expected": 20})
        self.assertEqual(done.status, 200, done.body)
        self.assertEqual({k: v for k, v in json.loads(done.body).items() if k != "duration_ms"},
                         {"device": "panel/meter", "point": "limit", "value": 42, "before": 20, "now": 42})
        self.assertEqual(self.meter.registers[20], 42)
        for body, status, kind in (({"point": "limit", "value": 43, "expected": 20}, 409, "changed"),
                                   ({"point": "limit", "value": 400}, 422, "bad-value"),
                                   ({"point": "power", "value": 4}, 409, "not-writable")):
            refused = write(body)
            self.assertEqual((refused.status, json.loads(refused.body)["type"]), (status, kind), refused.body)
        self.assertEqual(self.meter.registers[20], 42)
        self.assertEqual(self.ship.visitor().post("/api/device/panel%2Fmeter/write", {"point": "limit", "value": 1}).status, 401)

    def test_fresh_registers_are_read_from_the_device_now(self):
        self.begin(self.line(c.client(poll_interval=60)))
        eventually(lambda: self.device()["state"] == "ok", 10, "the device is ok")
        before = len(self.meter.requests)
        self.get("/api/device/meter/registers")
        self.assertEqual(len(self.meter.requests), before)
        self.meter.registers[4] = 4711
        fresh = self.get("/api/device/meter/registers?fresh=1&point=r4")["items"][0]
        self.assertEqual(fresh["value"], 4711)
        self.assertGreater(len(self.meter.requests), before)

    def test_a_line_says_what_it_is_used_for(self):
        self.begin()
        eventually(lambda: self.device()["polls"] > 3, 10, "some polls")
        line = self.get("/api/diag/lines")["items"][0]
        self.assertGreater(line["bytes_out"], 0)
        self.assertGreater(line["bytes_in"], 0)
        self.assertEqual(line["name"], "modbus/panel")
        self.assertGreater(line["requests"], 3)
        self.assertEqual((line["plan"][0]["first"], line["plan"][0]["count"], len(line["plan"][0]["points"])), (0, 10, 10))
        self.assertIn("room", self.get("/api/diag/explain?about=line:modbus/panel")["answer"])
