"""What went over the lines, as the API tells it and as tshark reads the capture: frame by frame the same."""
import json
import shutil
import subprocess

from support import Lightship, PacedLine, TestCase, configuration as c, eventually, lines, modbus
from support.testcase import missing_peer

FIELDS = ["frame.time_epoch", "frame.interface_name", "frame.p2p_dir", "frame.comment", "mbtcp.unit_id", "mbrtu.unit_id", "modbus.func_code",
          "modbus.reference_num", "modbus.word_cnt", "modbus.byte_cnt", "modbus.regval_uint16", "modbus.exception_code", "_ws.malformed"]


class FramesTest(TestCase):
    def setUp(self):
        super().setUp()
        if shutil.which("tshark") is None:
            missing_peer("tshark is not installed")
        self.line = self.start(PacedLine(baud=9600))
        self.start(modbus.libmodbus_rtu(self.line.device_paths[0], baud=9600))
        server = self.start(modbus.libmodbus_tcp())
        self.ship = self.start(Lightship(slave_config=c.slaves(
            c.tcp(server.port, c.client(points=c.registers(4, at=10)), name="net"),
            c.serial(self.line.master_path, c.client(points=c.registers(3)), name="bus"))))

    def frames(self, query=""):
        answer = self.ship.admin().get("/api/diag/frames?limit=5000" + query)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["items"]

    def dissected(self, query=""):
        """The capture as tshark reads it without being told anything: one dictionary of texts a packet."""
        answer = self.ship.admin().get("/api/diag/frames.pcapng" + query)
        self.assertEqual(answer.status, 200, answer)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        capture = self.folder / "frames.pcapng"
        capture.write_bytes(answer.raw)
        asked = [word for field in FIELDS for word in ("-e", field)]
        told = subprocess.run(["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=|", "-E", "occurrence=a", *asked],
                              check=True, capture_output=True, text=True, timeout=60).stdout
        return [dict(zip(FIELDS, row.split("|"))) for row in told.splitlines()]

    def both(self):
        """The frames that the API and the capture both have: polls go on between the two questions."""
        frames = self.frames()
        packets = self.dissected()
        self.assertGreaterEqual(len(packets), len(frames))
        return list(zip(frames, packets))

    def await_frames(self, line, count):
        eventually(lambda: len(self.frames(f"&line={line}")) >= count, 20, f"{count} frames of {line}")

    def test_a_capture_and_the_api_say_the_same(self):
        self.await_frames("modbus/net", 20)
        self.await_frames("modbus/bus", 20)
        seen = set()
        for frame, packet in self.both():
            with self.subTest(json.dumps(frame)):
                self.assertEqual(packet["_ws.malformed"], "")
                self.assertEqual(packet["frame.interface_name"], frame["line"])
                whole, fraction = packet["frame.time_epoch"].split(".")
                self.assertEqual(fraction[:6], frame["time"][20:26], "to the microsecond")
                self.assertEqual(packet["frame.p2p_dir"], {"sent": "0", "received": "1"}[frame["direction"]])
                if frame["error"]:
                    self.assertIn(frame["error"], packet["frame.comment"])
                    continue
                self.assertEqual(packet["mbtcp.unit_id"] or packet["mbrtu.unit_id"], str(frame["unit"]))
                self.assertEqual(packet["modbus.func_code"], str(frame["function"]))
                seen.add((frame["line"], frame["direction"]))
                at, count = (10, 4) if frame["line"] == "modbus/net" else (0, 3)
                if frame["direction"] == "sent":
                    self.assertEqual(frame["summary"], f"read {count} holding registers at {at}")
                    self.assertEqual((packet["modbus.reference_num"], packet["modbus.word_cnt"]), (str(at), str(count)))
                else:
                    self.assertEqual(frame["summary"], f"answer: {count} registers")
                    self.assertEqual(packet["modbus.regval_uint16"], ",".join(str(v) for v in modbus.mapped(3, at, count)))
        self.assertEqual(len(seen), 4, "both directions of both lines")

    def test_a_bad_crc_shows_in_both(self):
        self.await_frames("modbus/bus", 4)
        self.line.next_answers(lines.corrupted())
        bad = eventually(lambda: self.frames("&line=modbus/bus&kind=error&text=bad"), 20, "a frame with a bad CRC")
        self.assertEqual((bad[0]["error"], bad[0]["unit"], bad[0]["function"]), ("bad CRC", 1, 3))
        self.assertEqual(len(bytes.fromhex(bad[0]["bytes"])), 11)
        packets = [p for p in self.dissected("?line=modbus/bus") if "bad CRC" in p["frame.comment"]]
        self.assertEqual(len(packets), len(bad))

    def test_silence_shows_as_no_answer(self):
        self.await_frames("modbus/bus", 4)
        self.line.next_answers(lines.swallowed())
        missing = eventually(lambda: self.frames("&line=modbus/bus&kind=error&text=no+answer"), 20, "no answer")
        self.assertEqual((missing[0]["bytes"], missing[0]["unit"]), ("", 1))
        packets = [p for p in self.dissected("?line=modbus/bus") if "no answer" in p["frame.comment"]]
        self.assertEqual(len(packets), len(missing))
