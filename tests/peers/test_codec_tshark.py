"""The PDUs of functions 11, 12, 20, 21 and 24, for which no peer was recorded, mean to tshark what they mean to us.

The literals are those of src/codec/modbus/serial_functions_test.cpp, which asserts our side.
"""
import pathlib
import shutil
import subprocess

from support import TestCase
from support.testcase import missing_peer

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP_TEST = ROOT / "src/codec/modbus/serial_functions_test.cpp"

# Request, answer, and what tshark's tree must say of each.
EXCHANGES = [
    ("0B", "0B FF FF 01 08",
     ["Get Comm. Event Counters (11)"],
     ["Get Comm. Event Counters (11)", "Status: 0xffff", "Event Count: 264"]),
    ("0C", "0C 08 00 00 01 08 01 21 20 00",
     ["Get Comm. Event Log (12)"],
     ["Get Comm. Event Log (12)", "Byte Count: 8", "Status: 0x0000", "Event Count: 264", "Message Count: 289",
      "Initiated Communication Restart"]),
    ("14 0E 06 00 04 00 01 00 02 06 00 03 00 09 00 02", "14 0C 05 06 0D FE 00 20 05 06 33 CD 00 40",
     ["Read File Record (20)", "Byte Count: 14", "Reference Type: 6", f"Reference Number (32 bit): {4 << 16 | 1}",
      f"Reference Number (32 bit): {3 << 16 | 9}", "Word Count: 2"],
     ["Read File Record (20)", "Byte Count: 12", "Group 1", "Byte Count: 5", "Reference Type: 6", "Data: 33cd0040"]),
    ("15 0D 06 00 04 00 07 00 03 06 AF 04 BE 10 0D", "15 0D 06 00 04 00 07 00 03 06 AF 04 BE 10 0D",
     ["Write File Record (21)", "Byte Count: 13", f"Reference Number (32 bit): {4 << 16 | 7}", "Word Count: 3",
      "Data: 06af04be100d"],
     ["Write File Record (21)", f"Reference Number (32 bit): {4 << 16 | 7}", "Word Count: 3", "Data: 06af04be100d"]),
    ("18 04 DE", "18 00 06 00 02 01 B8 12 84",
     ["Read FIFO Queue (24)", "Reference Number: 1246"],
     ["Read FIFO Queue (24)", "Byte Count (16-bit): 6", "Word Count: 2", "Data: 01b81284"]),
]


def mbap(transaction, pdu):
    body = bytes([1]) + bytes.fromhex(pdu)
    return transaction.to_bytes(2, "big") + bytes(2) + len(body).to_bytes(2, "big") + body


class TsharkTest(TestCase):
    def setUp(self):
        super().setUp()
        for tool in ("tshark", "text2pcap"):
            if shutil.which(tool) is None:
                missing_peer(f"{tool} is not installed")

    def dissect(self, frames):
        """The Modbus part of tshark's tree, one text a frame; frames are requests and answers in turn."""
        text, capture = self.folder / "frames.txt", self.folder / "frames.pcap"
        lines = [f"{'IO'[at % 2]} 0000 {frame.hex(' ')}\n" for at, frame in enumerate(frames)]
        text.write_text("".join(lines))
        self.tool("text2pcap", "-q", "-D", "-T", "40000,502", str(text), str(capture))
        trees = self.tool("tshark", "-n", "-r", str(capture), "-O", "mbtcp,modbus").split("Frame ")[1:]
        return [tree[tree.index("Modbus/TCP"):] for tree in trees]

    @staticmethod
    def tool(*command):
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def test_means_the_same_to_tshark(self):
        frames = [mbap(at + 1, pdu) for at, pair in enumerate(EXCHANGES) for pdu in pair[:2]]
        trees = self.dissect(frames)
        self.assertEqual(len(trees), len(frames))
        for tree, expected in zip(trees, [words for pair in EXCHANGES for words in pair[2:]]):
            self.assertNotIn("Malformed", tree)
            for words in expected:
                self.assertIn(words, tree)

    def test_are_the_frames_of_the_unit_test(self):
        text = CPP_TEST.read_text()
        for request, answer, *_ in EXCHANGES:
            self.assertIn(f'"{request}"', text)
            self.assertIn(f'"{answer}"', text)
