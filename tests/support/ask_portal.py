"""Asks a portal on this machine's loopback what the diagnosis page asks, from within a namespace.

    ask_portal.py PORT DATA LOG

Once logged in it fills the disk that DATA is on. Prints a line of JSON for each answer. The log is where the first password stands.
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.portal import Visitor  # noqa: E402


def fill(folder):
    """Until not a byte fits any more."""
    for size in (1 << 16, 1):
        try:
            with open(folder / f"filler-{size}", "wb", buffering=0) as file:
                while file.write(b"x" * size):
                    pass
        except OSError:
            pass


def main():
    port, log = int(sys.argv[1]), pathlib.Path(sys.argv[3]).read_text(errors="replace")
    visitor = Visitor(lambda: ("127.0.0.1", port), timeout=20)
    first = re.search(r"^login admin (\S.*)$", log, re.M)
    if first:
        visitor.come_in("admin", first[1])
    fill(pathlib.Path(sys.argv[2]))
    for path in ("/api/diag/hardware", "/api/diag/network", "/api/diag/time", "/api/metrics", "/api/logs", "/api/diag/bundle"):
        answer = visitor.get(path)
        said = {"path": path, "status": answer.status}
        if path != "/api/diag/bundle":
            said["json"] = answer.json
        print(json.dumps(said), flush=True)
    answer = visitor.post("/api/diag/ping", {"host": "192.0.2.1", "count": 2})
    print(json.dumps({"path": "/api/diag/ping", "status": answer.status, "json": answer.json}), flush=True)


main()
