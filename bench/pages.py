"""What the portal's pages cost a browser: Chromium on the real gateway and its simulated site.

    pages.py

First paint, the main thread while values come, frames while a long table scrolls, memory after many page changes, each
beside its budget as `aim`; nobody else serves these pages, so there is no peer.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main():
    if not shutil.which("node") or not (ROOT / "web/node_modules/playwright-core").exists():
        print("pages: needs Node and web/node_modules (scripts/setup.sh browser node; web/scripts/build.py --install)", file=sys.stderr)
        return 0
    done = subprocess.run(["node", ROOT / "web/bench/pages.mjs"], stdout=subprocess.PIPE, text=True, timeout=600,
                          env=os.environ | {"LIGHTSHIP_BIN": os.environ.get("LIGHTSHIP_BIN", str(ROOT / "build/release/lightship"))})
    for line in done.stdout.splitlines():
        row = json.loads(line)
        print(json.dumps({"name": row.pop("name"), "ours": round(row.pop("ours"), 2), "peer": None, "ratio": None,
                          "higher_is_better": False, **row}), flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
