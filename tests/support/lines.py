"""Serial lines made of pseudo-terminals, with the timing of a wire and with its faults."""
import collections
import heapq
import itertools
import os
import pathlib
import pty
import select
import termios
import threading
import time
import tty

from support import modbus


class Pty:
    """One pseudo-terminal in raw mode: `path` is what a program opens, `master` our end of it. The other end
    is held open here too, so that nothing is lost while no program has it open."""

    def __init__(self):
        self.master, self._held = pty.openpty()
        tty.setraw(self._held, termios.TCSANOW)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._held)

    def close(self):
        """As when the adapter is pulled: who has it open sees a hang-up."""
        for fd in (self.master, self._held):
            os.close(fd)


# ---- faults: a whole answer -> pieces of (seconds to wait, bytes) --------------------------------------

def torn(at, pause):
    return lambda frame: [(0, frame[:at]), (pause, frame[at:])]


def delayed(seconds):
    return lambda frame: [(seconds, frame)]


def corrupted(at=-1, flip=0x01):
    def fault(frame):
        damaged = bytearray(frame)
        damaged[at] ^= flip
        return [(0, bytes(damaged))]
    return fault


def swallowed():
    return lambda frame: []


def preceded_by(noise, pause=0):
    return lambda frame: [(0, noise), (pause, frame)]


def followed_by(noise, pause=0):
    return lambda frame: [(0, frame), (pause, noise)]


def replaced_by(other):
    return lambda frame: [(0, other)]


class PacedLine:
    """A line with one master and some devices, each on a pseudo-terminal: `master_path`, `device_paths`.

    Every byte takes `bits`/`baud` seconds, and there is one wire: what is sent while it is busy waits.
    `baud=None` passes everything on at once. `turnaround` is the device's own time before it answers.
    Devices hear each other only with `shared=True`. `echo=True` gives the master its own bytes back, as some RS-485
    adapters do. `requests` and `answers` hold what passed, as (time of its first byte, frame), `ends` the
    times at which the wire was free again after an answer.

    `next_answers(fault, ...)` does one thing to each of the next answers; `every_answer = fault` to all.
    A fault takes the whole frame and returns pieces; `None` stands for an untouched answer.

    `taps` further terminals (`tap_paths`) hear everything, as an adapter does that is clipped to the two wires.
    What is written to one of them reaches nobody and is counted in `tap_wrote`.

    `unplug()` hangs the master's side up, `plug()` brings it back under another name. `by_id`, when given,
    is a symbolic link to wherever it is now, as udev keeps one."""

    def __init__(self, baud=9600, bits=10, devices=1, turnaround=0.0, echo=False, ascii=False, by_id=None, taps=0,
                 shared=False):
        self.character = 0.0 if baud is None else bits / baud
        self.turnaround, self.echo, self.ascii, self.shared = turnaround, echo, ascii, shared
        self.by_id = pathlib.Path(by_id) if by_id else None
        self.requests, self.answers, self.ends = [], [], []
        self.every_answer = None
        self._faults = collections.deque()
        self._devices = [Pty() for _ in range(devices)]
        self._taps = [Pty() for _ in range(taps)]
        self.tap_wrote = 0
        self._master = self._last_path = None
        self._lock = threading.RLock()
        self._due = []                         # heap of (when, order, terminal, bytes)
        self._order = itertools.count()
        self._free_at = 0.0
        self._heard = {}                       # terminal -> [bytes, time of the first, time of the last]
        self._ended = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.plug()

    # ---- what a test uses -------------------------------------------------------------------------

    @property
    def master_path(self):
        return str(self.by_id) if self.by_id else self._master.path

    @property
    def device_paths(self):
        return [d.path for d in self._devices]

    @property
    def tap_paths(self):
        return [t.path for t in self._taps]

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        if self._thread.is_alive():
            self._ended = True
            self._wake()
            self._thread.join(5)
        with self._lock:
            self.unplug()
            for d in self._devices + self._taps:
                d.close()
            self._devices, self._taps = [], []
            for fd in (self._wake_read, self._wake_write):
                os.close(fd)
            self._wake_read = self._wake_write = None

    def next_answers(self, *faults):
        with self._lock:
            self._faults.extend(faults)

    def faults_left(self):
        with self._lock:
            return len(self._faults)

    def inject(self, data):
        """Bytes that nobody asked for, to the master, as soon as the wire is free."""
        with self._lock:
            self._send(self._master, data)
        self._wake()

    def unplug(self):
        with self._lock:
            if self._master is not None:
                gone, self._master = self._master, None
                self._due = []
                self._heard.clear()
                if self.by_id:
                    self.by_id.unlink(missing_ok=True)
                gone.close()

    def plug(self):
        """The path of the new terminal."""
        with self._lock:
            self._master = Pty()
            if self._master.path == self._last_path:
                reused, self._master = self._master, Pty()
                reused.close()
            self._last_path = self._master.path
            if self.by_id:
                new = self.by_id.with_name(self.by_id.name + ".new")
                new.symlink_to(self._master.path)
                new.rename(self.by_id)
        self._wake()
        return self._master.path

    # ---- the wire ---------------------------------------------------------------------------------

    def _wake(self):
        if self._wake_write is not None:
            os.write(self._wake_write, b"x")

    def _send(self, terminal, data, pause=0.0):
        """Puts bytes on the wire, after what is on it already and `pause` seconds of silence."""
        start = max(time.monotonic(), self._free_at) + pause
        self._free_at = start + len(data) * self.character
        self._lay(terminal, data, start)
        if terminal is self._master:
            for tap in self._taps:
                self._lay(tap, data, start)
        return start

    def _lay(self, terminal, data, start):
        if self.character == 0:
            heapq.heappush(self._due, (start, next(self._order), terminal, data))
            return
        for i in range(len(data)):
            heapq.heappush(self._due, (start + (i + 1) * self.character, next(self._order), terminal, data[i:i + 1]))

    def _deliver(self):
        """Writes every byte whose time has come; returns the seconds until the next one."""
        together = []
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, terminal, data = heapq.heappop(self._due)
            if together and together[-1][0] is terminal:
                together[-1][1].extend(data)
            else:
                together.append((terminal, bytearray(data)))
        for terminal, data in together:
            try:
                os.write(terminal.master, data)
            except OSError:
                pass                           # unplugged, or nobody reads
        return max(0.0, self._due[0][0] - now) if self._due else 0.02

    def _whole(self, frame, from_master):
        if self.ascii:
            return frame.endswith(b"\r\n")
        length = modbus.rtu_request_length(frame) if from_master else modbus.rtu_answer_length(frame)
        return length is not None and len(frame) >= length and modbus.crc16(frame) == 0

    def _hear(self, terminal, data):
        from_master = terminal is self._master
        now = time.monotonic()
        heard = self._heard.setdefault(terminal, [bytearray(), now, now])
        if not heard[0]:
            heard[1] = now
        heard[0].extend(data)
        heard[2] = now
        if from_master:
            for device in self._devices:
                self._copy(device, data)
            for tap in [] if self.echo else self._taps:      # with an echo they hear that
                self._copy(tap, data)
            self._free_at += len(data) * self.character
            if self.echo:
                self._copy(self._master, data)
        if self._whole(bytes(heard[0]), from_master):
            self._finish(terminal)

    def _copy(self, terminal, data):
        """What the master sends reaches everybody at the same time."""
        free_at = self._free_at
        self._send(terminal, data)
        self._free_at = free_at

    def _finish(self, terminal):
        """A whole frame has come from `terminal`, or silence after a part of one."""
        heard = self._heard.pop(terminal)
        frame, began = bytes(heard[0]), heard[1]
        if terminal is self._master:
            self.requests.append((began, frame))
            return
        self.answers.append((began, frame))
        fault = self._faults.popleft() if self._faults else self.every_answer
        pieces = fault(frame) if fault else [(0, frame)]
        for i, (pause, data) in enumerate(pieces):
            start = self._send(self._master, data, pause + (self.turnaround if i == 0 else 0))
            for other in self._devices if self.shared else []:
                if other is not terminal:
                    self._lay(other, data, start)
        self.ends.append(self._free_at)

    def _run(self):
        while not self._ended:
            with self._lock:
                wait = self._deliver()
                terminals = {d.master: d for d in self._devices + self._taps}
                if self._master is not None:
                    terminals[self._master.master] = self._master
            try:
                ready, _, _ = select.select([*terminals, self._wake_read], [], [], wait)
            except OSError:
                continue                       # unplugged between the two
            with self._lock:
                for fd in ready:
                    if fd == self._wake_read:
                        os.read(fd, 4096)
                        continue
                    terminal = terminals[fd]
                    if terminal in self._taps:
                        self.tap_wrote += len(os.read(fd, 4096))
                        continue
                    if terminal is not self._master and terminal not in self._devices:
                        continue               # unplugged meanwhile
                    try:
                        data = os.read(fd, 4096)
                    except OSError:
                        continue
                    if data and self._master is not None:
                        self._hear(terminal, data)
                for terminal, heard in list(self._heard.items()):
                    if heard[0] and time.monotonic() - heard[2] > 0.05:
                        self._finish(terminal)
