"""Makes the portal's pages and what the program carries of them; CMake calls it (cmake/web.cmake).

    build.py --out FOLDER [--dist FOLDER]
    build.py --out FOLDER --install     only node_modules, for the front-end's tests

Pages that are ready-made (--dist, or web/dist of a release made from these very sources) need no Node.
Otherwise `npm ci`, when node_modules is not what the lock names, and two builds of Vite into FOLDER/dist,
when the sources are not those it was made from. A size over its budget is a failure. Then embed.py
writes FOLDER/site. Presets share the folder; one works at a time, the others find it done.
"""
import argparse
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import embed

WEB = pathlib.Path(__file__).resolve().parents[1]
LEAST_NODE = (18, 20)
FILES = ["index.html", "login.html", "package.json", "package-lock.json", "svelte.config.js", "tsconfig.json", "vite.config.ts",
         "scripts/budget.mjs", "scripts/build.py"]
READY = ".release"   # in a release's web/dist: the digest of the sources it was made from


class Failed(Exception):
    pass


def say(text):
    print(f"web: {text}", flush=True)


def sources_digest():
    """Of every file that Vite reads of ours, by name and content."""
    paths = [WEB / name for name in FILES]
    for folder in ("src", "public"):
        paths += [p for p in (WEB / folder).rglob("*") if p.is_file() and not p.name.endswith(".test.ts")]
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(WEB).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def text_of(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def node():
    """The Node to build with, or why there is none."""
    path = shutil.which("node")
    if path:
        printed = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"(\d+)\.(\d+)", printed)
        if found and tuple(map(int, found.groups())) >= LEAST_NODE:
            return path
        path += f" is {printed.strip() or 'broken'}"
    raise Failed(f"the portal's pages are built with Node {'.'.join(map(str, LEAST_NODE))} or newer; found {path or 'none'}.\n"
                 "On Debian 12: apt install nodejs npm. Without Node: a release's source archive carries the built pages,\n"
                 "or give a folder that holds them: cmake --preset release -DLIGHTSHIP_WEB_DIST=FOLDER")


def installed():
    """Whether node_modules is what the lock names (npm writes down what it installed, when it is done)."""
    try:
        wanted = json.loads((WEB / "package-lock.json").read_text())["packages"]
        there = json.loads((WEB / "node_modules/.package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    same = all(one.get("version") == wanted.get(path, {}).get("version") and one.get("integrity") == wanted.get(path, {}).get("integrity")
               for path, one in there.items())
    return same and all(path in there or not path or one.get("optional") for path, one in wanted.items())


def install():
    npm = shutil.which("npm")
    if not npm:
        raise Failed("npm is missing. On Debian 12: apt install npm")
    say("installing what web/package-lock.json names (npm ci)")
    run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-timeout=60000"],
        "npm ci failed; it needs the network, once for each lock file")


def run(command, failure):
    done = subprocess.run(command, cwd=WEB, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env=dict(os.environ, NO_COLOR="1"))
    if done.returncode != 0:
        raise Failed(f"{done.stdout.rstrip()}\n{failure}")
    return done.stdout


def build(out, digest):
    """FOLDER/dist, which is whole or not there."""
    dist, fresh = out / "dist", out / "dist.new"
    if text_of(out / "dist.sources") == digest and (dist / "index.html").exists():
        return dist
    program = node()
    if not installed():
        install()
    say("building the portal's pages")
    shutil.rmtree(fresh, ignore_errors=True)
    vite = [program, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn", "--outDir", str(fresh)]
    run(vite, "vite build failed")
    run([*vite, "--mode", "login"], "vite build failed for the login page")
    print(run([program, "scripts/budget.mjs", str(fresh)], "a size of portal-design's budget is exceeded"), end="", flush=True)
    (out / "dist.sources").unlink(missing_ok=True)
    shutil.rmtree(dist, ignore_errors=True)
    fresh.rename(dist)
    (out / "dist.sources").write_text(digest)
    return dist


def pages(out, given):
    if given:
        if not (given / "index.html").exists():
            raise Failed(f"LIGHTSHIP_WEB_DIST: there are no built pages (index.html) in {given}")
        return given
    digest = sources_digest()
    released = text_of(WEB / "dist" / READY).strip()
    if released == digest:
        return WEB / "dist"
    try:
        return build(out, digest)
    except Failed as why:
        if released:
            raise Failed(f"web/dist was made from other sources than those in web/, so it was to be built again.\n{why}") from None
        raise


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=pathlib.Path, required=True)
    options.add_argument("--dist", type=pathlib.Path)
    options.add_argument("--digest", action="store_true", help="print the digest of the sources, do nothing")
    options.add_argument("--install", action="store_true", help="only node_modules")
    given = options.parse_args()
    if given.digest:
        print(sources_digest())
        return 0
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if given.install:
                if node() and not installed():
                    install()
                return 0
            embed.write(pages(out, given.dist.resolve() if given.dist else None), out / "site")
        except Failed as why:
            print(f"web: {why}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
