"""Modbus as the tests need it: the data map, frames as bytes, and the peers that speak it."""
import fcntl
import json
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import threading
import time

from support.processes import Process
from support.testcase import missing_peer
from support.waiting import eventually, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests" / "peers"
BUILT = ROOT / "build" / "peers"
SIZE = 300

# ---- the data map of tests/vectors/modbus.json ---------------------------------------------------------


def coil(i):
    return int((7 * i + 3) % 5 < 2)


def discrete(i):
    return int((3 * i + 1) % 4 == 0)


def holding(i):
    return (0x1000 + 0x0101 * i) & 0xFFFF


def input_register(i):
    return 0xA5A5 ^ (0x0203 * i & 0xFFFF)


def mapped(function, at, count):
    """What every peer server has at first."""
    value = {1: coil, 2: discrete, 3: holding, 4: input_register}[function]
    return [value(i) for i in range(at, at + count)]


ORDERS = {"ABCD": lambda b: b, "DCBA": lambda b: b[::-1],
          "BADC": lambda b: b"".join(b[i:i + 2][::-1] for i in range(0, len(b), 2)),
          "CDAB": lambda b: b"".join(b[i:i + 2] for i in range(len(b) - 2, -1, -2))}


def words(fmt, value, order="ABCD"):
    """The registers of a value: words(">f", 230.25, "CDAB") -> [0x4000, 0x4366]."""
    data = ORDERS[order](struct.pack(fmt, value))
    return list(struct.unpack(f">{len(data) // 2}H", data))


# ---- frames --------------------------------------------------------------------------------------------

def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def rtu(unit, pdu):
    body = bytes([unit]) + pdu
    return body + struct.pack("<H", crc16(body))


def rtu_request_length(frame):
    if len(frame) < 2:
        return None
    function = frame[1]
    if function in (15, 16):
        return 9 + frame[6] if len(frame) > 6 else None
    return {7: 4, 11: 4, 12: 4, 17: 4, 22: 10, 43: 7}.get(function, 8)


def rtu_answer_length(frame):
    if len(frame) < 3:
        return None
    if frame[1] & 0x80:
        return 5
    return 5 + frame[2] if frame[1] in (1, 2, 3, 4, 12, 17, 20, 21, 23) else {7: 5, 22: 10}.get(frame[1], 8)


def read_pdu(function, at, count):
    return struct.pack(">BHH", function, at, count)


def mbap(transaction, unit, pdu):
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


class RawTcp:
    """A socket that speaks MBAP and believes nothing."""

    def __init__(self, port, host="127.0.0.1", timeout=5.0, source=None):
        self.socket = socket.create_connection((host, port), timeout, source_address=source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(timeout)
        self._have = b""
        self._next = 0

    def send(self, unit, pdu, transaction=None):
        self._next = self._next % 0xFFFF + 1
        transaction = self._next if transaction is None else transaction
        self.socket.sendall(mbap(transaction, unit, pdu))
        return transaction

    def receive(self):
        """(transaction, unit, pdu) of the next answer, None at the end of the stream."""
        while True:
            if len(self._have) >= 6:
                transaction, protocol, length = struct.unpack(">HHH", self._have[:6])
                if len(self._have) >= 6 + length:
                    frame, self._have = self._have[:6 + length], self._have[6 + length:]
                    assert protocol == 0, frame.hex()
                    return transaction, frame[6], frame[7:]
            more = self.socket.recv(65536)
            if not more:
                return None
            self._have += more

    def ask(self, unit, pdu):
        """The PDU of the answer; its transaction and unit must be those of the request."""
        sent = self.send(unit, pdu)
        answer = self.receive()
        assert answer is not None, "the connection was closed instead of an answer"
        assert answer[:2] == (sent, unit), f"asked transaction {sent} unit {unit}, answered {answer}"
        return answer[2]

    def registers(self, unit, function, at, count):
        """The values, or the exception's code as {"exception": N}."""
        pdu = self.ask(unit, read_pdu(function, at, count))
        if pdu[0] & 0x80:
            assert pdu[0] == function | 0x80 and len(pdu) == 2, pdu.hex()
            return {"exception": pdu[1]}
        assert pdu[0] == function and pdu[1] == len(pdu) - 2, pdu.hex()
        if function <= 2:
            return [pdu[2 + i // 8] >> i % 8 & 1 for i in range(count)]
        return list(struct.unpack(f">{count}H", pdu[2:]))

    def close(self):
        self.socket.close()


# ---- servers -------------------------------------------------------------------------------------------

def _locked_build(name, make):
    """Runs `make` once, whoever else wants the same at this moment."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with open(BUILT / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return make()


def libmodbus_program(name):
    """Builds tests/peers/modbus/NAME.c when it is newer than the program."""
    source, program = PEERS / "modbus" / f"{name}.c", BUILT / name
    compiler = next((c for c in ("cc", "gcc", "clang-19", "clang") if shutil.which(c)), None)

    def make():
        newest = max(p.stat().st_mtime for p in (source, PEERS / "modbus" / "data_map.h"))
        if program.exists() and program.stat().st_mtime >= newest:
            return program
        if compiler is None:
            missing_peer("no C compiler for the libmodbus peers")
        done = subprocess.run([compiler, "-O2", "-o", program, source, "-lmodbus"], capture_output=True, text=True)
        if done.returncode != 0:
            if "modbus.h" in done.stderr or "-lmodbus" in done.stderr:
                missing_peer("libmodbus-dev is not installed")
            raise AssertionError(done.stderr)
        return program
    return _locked_build(name, make)


def node_folder():
    """tests/peers/node with its packages installed."""
    folder = PEERS / "node"
    if not shutil.which("node") or not shutil.which("npm"):
        missing_peer("Node.js is not installed")

    def make():
        stamp, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=folder, capture_output=True, text=True)
            if done.returncode != 0:
                missing_peer(f"npm ci in tests/peers/node failed: {done.stderr.strip().splitlines()[-1:]}")
        return folder
    return _locked_build("node", make)


class Server(Process):
    """A peer server: its first line says that it is ready and on which port."""

    port = None

    def start(self):
        super().start()
        self.wait_for_line(r'"ready": ?true', 15)
        first = next(text for _, stream, text in self.lines if stream == "out" and '"ready"' in text)
        self.port = json.loads(first)["port"]
        return self

    def set(self, space, at, *values):
        assert self.ask(f"set {space} {at} {' '.join(str(int(v)) for v in values)}") == {"ok": True}

    def requests(self):
        return self.ask("count")["requests"]

    def silent(self, yes=True):
        assert self.ask(f"silent {int(yes)}") == {"ok": True}

    def exception(self, code):
        assert self.ask(f"exception {code}") == {"ok": True}


def libmodbus_tcp(port=0, **more):
    options = [x for k, v in more.items() for x in (f"--{k}", v)]
    return Server([libmodbus_program("libmodbus_server"), "tcp", "--port", port, *options])


def libmodbus_rtu(tty, baud=9600, unit=1, parity="N"):
    return Server([libmodbus_program("libmodbus_server"), "rtu", "--device", tty, "--baud", baud, "--unit", unit, "--parity", parity])


def _pymodbus(script):
    if subprocess.run(["/usr/bin/python3", "-c", "import pymodbus"], capture_output=True).returncode != 0:
        missing_peer("python3-pymodbus is not installed")
    return ["/usr/bin/python3", PEERS / "modbus" / script]


def pymodbus_server(mode="tcp", port=0, tty=None, baud=9600, unit=None, holes=None):
    where = ["--device", tty, "--baud", baud] if tty else ["--port", port]
    return Server([*_pymodbus("pymodbus_server.py"), mode, *where, *(["--unit", unit] if unit is not None else []),
                   *(["--holes", holes] if holes else [])],
                  name=f"pymodbus_server {mode}")


def modbus_serial_tcp(port=None):
    return Server(["node", node_folder() / "modbus_serial_server.js", "--port", port or free_port()], name="modbus-serial server")


class ScriptedDevice:
    """A Modbus TCP server that does what the test says: `answer(unit, pdu)` returns the PDU to send, None to
    stay silent, or an exception's code. By default it serves the data map. `heard` holds (time, unit, pdu)."""

    def __init__(self, answer=None, port=0):
        self.answer = answer or (lambda unit, pdu: serve_data_map(pdu))
        self.heard = []
        self.connections = 0
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        self._open = set()
        self._ended = False
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._ended = True
        self._thread.join(2)
        self._listener.close()
        for s in list(self._open):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def requests(self):
        return len(self.heard)

    def _accept(self):
        while not self._ended:
            if select.select([self._listener], [], [], 0.05)[0]:
                s, _ = self._listener.accept()
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.add(s)
                self.connections += 1
                threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        have = b""
        try:
            while data := s.recv(65536):
                have += data
                while len(have) >= 6 and len(have) >= 6 + (length := struct.unpack(">H", have[4:6])[0]):
                    frame, have = have[:6 + length], have[6 + length:]
                    self.heard.append((time.monotonic(), frame[6], frame[7:]))
                    said = self.answer(frame[6], frame[7:])
                    if isinstance(said, int):
                        said = bytes([frame[7] | 0x80, said])
                    if said is not None:
                        s.sendall(mbap(struct.unpack(">H", frame[:2])[0], frame[6], said))
        except OSError:
            pass
        finally:
            self._open.discard(s)
            s.close()


def serve_data_map(pdu, size=SIZE):
    function, at, count = struct.unpack(">BHH", pdu[:5])
    if function not in (1, 2, 3, 4):
        return 1
    if at + count > size:
        return 2
    values = mapped(function, at, count)
    if function <= 2:
        packed = bytearray((count + 7) // 8)
        for i, bit in enumerate(values):
            packed[i // 8] |= bit << i % 8
        return bytes([function, len(packed)]) + bytes(packed)
    return bytes([function, 2 * count]) + struct.pack(f">{count}H", *values)


# ---- clients -------------------------------------------------------------------------------------------

class Answer(dict):
    """One line of a client: {"ok", "values" or "exception" and "error", "us"}."""


def _run_client(argv, within=60):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=within, stdin=subprocess.DEVNULL)
    answers = [Answer(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]
    assert answers, f"{argv}: printed nothing\n{done.stderr}"
    return answers


def _options(options):
    return [x for k, v in options.items() for x in (f"--{k.replace('_', '-')}", v)]


def libmodbus_client(kind, where, number, **options):
    return _run_client([libmodbus_program("libmodbus_client"), kind, where, number, *_options(options)])


def pymodbus_client(kind, where, number, **options):
    return _run_client([*_pymodbus("pymodbus_client.py"), kind, where, number, *_options(options)])


def node_client(kind, host, port, **options):
    return _run_client(["node", node_folder() / "modbus_client.js", kind, host, port, *_options(options)])


def mbpoll(*arguments, within=20):
    """(exit status, {reference: value as text}, output)."""
    if not shutil.which("mbpoll"):
        missing_peer("mbpoll is not installed")
    done = subprocess.run(["mbpoll", "-1", *map(str, arguments)], capture_output=True, text=True, timeout=within,
                          stdin=subprocess.DEVNULL)
    values = {}
    for line in done.stdout.splitlines():
        if line.startswith("[") and "]:" in line:
            reference, _, value = line[1:].partition("]:")
            values[int(reference)] = value.strip()
    return done.returncode, values, done.stdout + done.stderr
