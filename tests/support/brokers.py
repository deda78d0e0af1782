"""Debian's mosquitto as a child of the test."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from support.processes import Process
from support.testcase import missing_peer
from support.waiting import eventually, free_port


class Mosquitto(Process):
    """A broker on loopback. `listeners` is a list out of "tcp", "tls", "ws", "wss"; the ports are in `ports`
    under the same names, and `port` is the first one. TLS needs `authority`; `client_certificates=True`
    lets in only who has one. `users={name: password}` ends anonymous access. Sessions and queued messages
    survive a restart."""

    def __init__(self, listeners=("tcp",), authority=None, client_certificates=False, users=None, ports=None):
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        if not os.path.exists(binary):
            missing_peer("mosquitto is not installed")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mosquitto-"))
        self.ports = ports or {kind: free_port() for kind in listeners}
        self.port = self.ports[listeners[0]]
        self.users = users or {}
        super().__init__([binary, "-c", self.folder / "mosquitto.conf", "-v"], name="mosquitto")

        lines = ["per_listener_settings false", "persistence true", f"persistence_location {self.folder}/", "autosave_interval 0",
                 "autosave_on_changes false", "log_dest stderr", "log_timestamp false", "max_queued_messages 0",
                 "max_inflight_messages 0", "set_tcp_nodelay true"]
        if os.geteuid() == 0:
            lines.append("user root")
        if users is None:
            lines.append("allow_anonymous true")
        else:
            lines += ["allow_anonymous false", f"password_file {self.folder / 'passwords'}"]
            self._write_passwords()
        for kind in listeners:
            lines.append(f"listener {self.ports[kind]} 127.0.0.1")
            if kind in ("ws", "wss"):
                lines.append("protocol websockets")
            if kind in ("tls", "wss"):
                certificate, key = authority.issue(f"broker-{kind}")
                lines += [f"cafile {authority.ca}", f"certfile {certificate}", f"keyfile {key}"]
                if client_certificates:
                    lines.append("require_certificate true")
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def _write_passwords(self):
        path = self.folder / "passwords"
        path.write_text("".join(f"{user}:{password}\n" for user, password in self.users.items()))
        subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
        path.chmod(0o644)

    def start(self):
        super().start()

        def up():
            if not self.running():
                raise AssertionError(self.said())
            for port in self.ports.values():
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                except OSError:
                    return False
            return True
        eventually(up, 10, "mosquitto listens")
        return self

    def shut_down(self):
        """SIGTERM: the broker writes its sessions down and goes."""
        super().stop()

    def stop(self):
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)
