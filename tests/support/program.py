"""The program under test: `lightship run` in directories of its own, and single commands of it."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

import yaml

from support.portal import Visitor
from support.processes import Process
from support.waiting import eventually, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]


def lightship_binary():
    path = pathlib.Path(os.environ.get("LIGHTSHIP_BIN", "build/release/lightship"))
    path = path if path.is_absolute() else ROOT / path
    if not path.exists():
        raise AssertionError(f"{path} is not built")
    return path


def clean_environment(**more):
    """The tests' own environment without what steers lightship."""
    steering = ("CONFIG_DIR", "DATA_DIR", "LOG_LEVEL", "LOG_FORMAT", "LIGHTSHIP_TOKEN", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
    return {k: v for k, v in os.environ.items() if k not in steering} | {k: str(v) for k, v in more.items()}


class Outcome:
    """What a command printed and how it ended."""

    def __init__(self, completed, seconds):
        self.status, self.out, self.err, self.seconds = completed.returncode, completed.stdout, completed.stderr, seconds

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"not JSON:\n{self.out}\n{self.err}") from None

    def __repr__(self):
        return f"exit {self.status} after {self.seconds:.2f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def lightship(*arguments, within=30, env=None, cwd=None):
    """Runs one command of lightship to its end."""
    began = time.monotonic()
    done = subprocess.run([lightship_binary(), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=within, env=env or clean_environment(), cwd=cwd, errors="replace")
    return Outcome(done, time.monotonic() - began)


class Lightship(Process):
    """`lightship run`. Keyword arguments are configuration files by their name: a dict becomes YAML, a text
    is written as it is. `portal.yaml` is made on a free port unless given; `portal=None` leaves it out."""

    def __init__(self, options=(), env=None, config=None, data=None, wait_ready=True, **files):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lightship-run-"))
        self.config = pathlib.Path(config or self.folder / "config")
        self.data = pathlib.Path(data or self.folder / "data")
        self.config.mkdir(exist_ok=True)
        self.data.mkdir(exist_ok=True)
        self.wait_ready = wait_ready
        self.allowed_end = 0
        self._admin = None
        # Tests ask as fast as they can; the limits have tests of their own.
        files.setdefault("portal", {"listen": f"127.0.0.1:{free_port()}", "limits": {"guests": 0, "sessions": 0}})
        self.write(**files)
        super().__init__([lightship_binary(), "run", "--config", self.config, "--data", self.data, "--log-format", "json", *options],
                         name="lightship", env=clean_environment(**(env or {})))

    def write(self, **files):
        """Writes configuration files, each in one step as an editor should."""
        for name, content in files.items():
            path = self.config / f"{name}.yaml"
            if content is None:
                path.unlink(missing_ok=True)
                continue
            text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
            path.with_suffix(".new").write_text(text)
            path.with_suffix(".new").rename(path)

    def start(self):
        (self.data / "portal.url").unlink(missing_ok=True)
        super().start()
        if self.wait_ready:
            self.await_ready()
        return self

    def await_ready(self, within=10.0):
        def ready():
            if not self.running():
                self.wait()
                raise AssertionError(f"lightship ended with {self.process.returncode} instead of getting ready\n{self.said()}")
            try:
                return self.get("/readyz").status == 200
            except (OSError, http.client.HTTPException):
                return False
        eventually(ready, within, "/readyz answers 200")

    # ---- its portal -------------------------------------------------------------------------------

    @property
    def portal(self):
        """(host, port), or None as long as it is not known."""
        url = self.data / "portal.url"
        if url.exists() and (text := url.read_text().strip()):
            parts = urllib.parse.urlsplit(text)
            return parts.hostname, parts.port
        listed = self.config / "portal.yaml"
        if listed.exists():
            listen = (yaml.safe_load(listed.read_text()) or {}).get("listen")
            if listen:
                host, _, port = listen.rpartition(":")
                return host, int(port)
        return None

    def first_password(self):
        """The one printed at the first start: None as long as it was not."""
        words = next((text.split() for _, _, text in self.lines if text.startswith("login admin ")), None)
        return words[2] if words else None

    def visitor(self, **more):
        """Somebody who has not logged in."""
        return Visitor(self._where, **more)

    def admin(self):
        """The first user, logged in, whose first password was changed; the same one each time."""
        if self._admin is None:
            password = eventually(self.first_password, 10, "the first password is printed")
            self._admin = self.visitor().come_in("admin", password)
        return self._admin

    def _where(self):
        if self.portal is None:
            raise OSError("the portal's address is not known yet")
        return self.portal

    def get(self, path, **headers):
        if path.startswith("/api/") and not headers:
            return self.admin().get(path)
        if self.portal is None:
            raise OSError("the portal's address is not known yet")
        connection = http.client.HTTPConnection(*self.portal, timeout=3)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.body = answer.read().decode(errors="replace")
            return answer
        finally:
            connection.close()

    # ---- its log ----------------------------------------------------------------------------------

    def log(self):
        """Every log line so far, as the dict it holds."""
        records = []
        with self._news:
            texts = [text for _, _, text in self.lines]
        for text in texts:
            try:
                record = json.loads(text)
            except ValueError:
                continue
            if isinstance(record, dict):
                records.append(record)
        return records

    def wait_for_log(self, predicate, within=10.0, what="a log line", after=0):
        return eventually(lambda: next((r for r in self.log()[after:] if predicate(r)), None), within, what)

    def wait_for_log_text(self, *words, within=10.0, after=0):
        """The first log record whose text has all the words, in any case."""
        def has(record):
            text = json.dumps(record, ensure_ascii=False).lower()
            return all(word.lower() in text for word in words)
        return self.wait_for_log(has, within, f"a log line with {words}", after)

    # ---- its life ---------------------------------------------------------------------------------

    def reload(self):
        self.send_signal(signal.SIGHUP)

    def kill_9(self):
        self.process.kill()
        self.wait()
        self.allowed_end = -signal.SIGKILL

    def start_again(self):
        """After an end of any kind: the same directories, a new process."""
        self.allowed_end = 0
        return self.start()

    def terminate(self, within=2.0):
        """SIGTERM: exit 0 within 2 s, by contract."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError(f"lightship did not stop within {within:g} s of SIGTERM\n{self.said()}") from None
        self.wait()
        if status != 0:
            raise AssertionError(f"lightship ended with {status} on SIGTERM\n{self.said()}")
        return time.monotonic() - began

    def stop(self):
        """The end of every test: whatever still runs must end well."""
        try:
            if self.process is None:
                return
            if self.running():
                self.terminate()
            elif self.process.returncode != self.allowed_end:
                raise AssertionError(f"lightship ended by itself with {self.process.returncode}\n{self.said()}")
        finally:
            if self.process is not None:
                self.process.stdin.close()
            shutil.rmtree(self.folder, ignore_errors=True)
