"""A program that a test runs: its lines as they come, its end, and no way to outlive the test."""
import json
import re
import signal
import subprocess
import threading
import time

from support.waiting import eventually


class Process:
    """One run of a program. `lines` holds what it wrote, as (time, stream, text)."""

    def __init__(self, argv, name=None, env=None, cwd=None):
        self.argv = [str(a) for a in argv]
        self.name = name or self.argv[0].rsplit("/", 1)[-1]
        self.env, self.cwd = env, cwd
        self.lines = []
        self.process = None
        self._news = threading.Condition()
        self._readers = []

    def start(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=self.env, cwd=self.cwd, text=True, errors="replace", bufsize=1)
        self._readers = [threading.Thread(target=self._read, args=(stream, pipe), daemon=True)
                         for stream, pipe in (("out", self.process.stdout), ("err", self.process.stderr))]
        for reader in self._readers:
            reader.start()
        return self

    def _read(self, stream, pipe):
        for line in pipe:
            with self._news:
                self.lines.append((time.monotonic(), stream, line.rstrip("\n")))
                self._news.notify_all()
        pipe.close()

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def text(self, stream=None):
        with self._news:
            return "\n".join(text for _, kind, text in self.lines if stream in (None, kind))

    def wait_for_line(self, pattern, within=10.0, after=0):
        """The match of the first line, from the line numbered `after` on, that `pattern` is found in."""
        wanted = re.compile(pattern)
        end = time.monotonic() + within
        with self._news:
            while True:
                for _, _, text in self.lines[after:]:
                    if found := wanted.search(text):
                        return found
                left = end - time.monotonic()
                if left <= 0 or (not self.running() and not any(r.is_alive() for r in self._readers)):
                    tail = "\n".join(text for _, _, text in self.lines[-20:])
                    raise AssertionError(f"{self.name}: no line with {pattern!r} within {within:g} s; it said:\n{tail}")
                self._news.wait(min(left, 0.1))

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line, within=5.0):
        """For the peers: sends one command, returns its answer, one line of JSON on stdout."""
        with self._news:
            seen = len(self.lines)
        self.tell(line)

        def answer():
            with self._news:
                return next((text for _, kind, text in self.lines[seen:] if kind == "out" and text.startswith("{")), None)
        return json.loads(eventually(answer, within, f"{self.name}: answer to {line!r}"))

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, within=10.0):
        """Its exit status."""
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name}: still running after {within:g} s") from None
        for reader in self._readers:
            reader.join(2)
        return status

    def kill(self):
        if self.running():
            self.process.kill()
        return self.wait() if self.process else None

    def stop(self):
        if self.process is None:
            return
        if self.running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.wait()
        self.process.stdin.close()

    def said(self):
        with self._news:
            tail = [f"  {text}" for _, _, text in self.lines[-60:]]
        status = self.process.poll() if self.process else None
        return "\n".join([f"--- {self.name} ({'running' if status is None else f'exit {status}'})", *tail])
