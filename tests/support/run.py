#!/usr/bin/python3
"""Runs the tests of a folder: run.py DIR [-k PATTERN] [-j N] [--timeout SECONDS]

Each test_*.py runs in a process of its own, N of them at a time. One line a test, then the failures with
what the programs said, and last `N passed, N failed, N skipped`. A test that does not end is ended, with
everything it started, and counted as failed. Exit status 1 when anything failed.
"""
import argparse
import concurrent.futures
import importlib.util
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
sys.dont_write_bytecode = True


# ---- in the process of one file ------------------------------------------------------------------------

def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def flat(suite):
    for test in suite:
        yield from flat(test) if isinstance(test, unittest.TestSuite) else (test,)


class Reporter(unittest.TestResult):
    """Says one event a line, as JSON."""

    def __init__(self, out):
        super().__init__()
        self._out, self._began = out, 0.0

    def _say(self, test, result, detail=""):
        test = getattr(test, "test_case", test)          # a part of a test counts for the whole
        if said := getattr(test, "what_was_said", None) if result == "FAIL" else None:
            try:
                detail += "\n" + said()
            except Exception:
                detail += "\n" + traceback.format_exc()
        self.say(test=test.id(), result=result, detail=detail, seconds=time.monotonic() - self._began if self._began else 0)

    def say(self, **event):
        self._out.write(json.dumps(event) + "\n")
        self._out.flush()

    def startTest(self, test):
        super().startTest(test)
        self._began = time.monotonic()
        self.say(start=test.id())

    def addSuccess(self, test):
        self._say(test, "ok")

    def addSkip(self, test, reason):
        self._say(test, "skip", reason)

    def addFailure(self, test, error):
        self._fail(test, error)

    def addError(self, test, error):
        self._fail(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            detail = f"{subtest._subDescription()}\n{self._exc_info_to_string(error, test)}"
            self._say(test, "FAIL", detail)

    def addExpectedFailure(self, test, error):
        self._say(test, "ok")

    def addUnexpectedSuccess(self, test):
        self._say(test, "FAIL", "was expected to fail")

    def _fail(self, test, error):
        self._say(test, "FAIL", self._exc_info_to_string(error, test))


def run_one_file(path, wanted):
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)                                # a stray print must not end up between the events
        reporter = Reporter(out)
        try:
            suite = load(path)
        except Exception:
            for name in wanted:
                reporter.say(test=name, result="FAIL", detail=traceback.format_exc(), seconds=0)
            return
        unittest.TestSuite(t for t in flat(suite) if t.id() in wanted).run(reporter)


# ---- in the process that was called --------------------------------------------------------------------

groups, groups_lock, printing = set(), threading.Lock(), threading.Lock()


def end_group(pid):
    """Everything that a file's process started is in its process group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    with groups_lock:
        groups.discard(pid)


class Tally:
    def __init__(self):
        self.results, self.failures = {}, []

    def take(self, test, result, detail, seconds):
        with printing:
            before = self.results.get(test)
            if result == "FAIL":
                self.failures.append((test, detail))
            if before is not None and (before == "FAIL" or result != "FAIL"):
                return
            self.results[test] = result
            reason = f"  ({detail.strip()})" if result == "skip" else ""
            print(f"{result:<4}  {test}  {seconds:.2f} s{reason}", flush=True)


def run_file(path, names, timeout, tally):
    left = list(names)
    while left:
        worker = subprocess.Popen([sys.executable, __file__, "--worker", path, *left], stdout=subprocess.PIPE, text=True,
                                  process_group=0, stdin=subprocess.DEVNULL)
        with groups_lock:
            groups.add(worker.pid)
        now = {"test": None}
        ended = threading.Event()
        late = []

        def watch():
            known, since = None, time.monotonic()
            while not ended.wait(0.2):
                if now["test"] != known:
                    known, since = now["test"], time.monotonic()
                if time.monotonic() - since > timeout:
                    late.append(known)
                    end_group(worker.pid)
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        for line in worker.stdout:
            event = json.loads(line)
            if "start" in event:
                now["test"] = event["start"]
                continue
            tally.take(**event)
            now["test"] = None if event["result"] != "FAIL" else now["test"]
            if event["test"] in left:
                left.remove(event["test"])
        worker.wait()
        ended.set()
        watcher.join()
        end_group(worker.pid)
        # What follows a skip or an error of a whole class or file has no events of its own.
        stuck = now["test"] if now["test"] in left else None
        if stuck is None and worker.returncode == 0:
            break
        broken = stuck or (left[0] if left else None)
        if broken is None:
            break
        why = f"did not end within {timeout:g} s" if late else f"its process ended with {worker.returncode}"
        tally.take(broken, "FAIL", why, timeout if late else 0)
        left.remove(broken)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("-k", metavar="PATTERN", help="only tests whose name contains or matches it")
    options.add_argument("-j", metavar="N", type=int, default=2)
    options.add_argument("--timeout", type=float, default=120.0, help="seconds one test may take")
    options.add_argument("-l", "--list", action="store_true", help="print the names, run nothing")
    o = options.parse_args()

    files = sorted(o.folder.glob("test_*.py")) if o.folder.is_dir() else [o.folder]
    plan, tally, began = {}, Tally(), time.monotonic()
    for path in files:
        try:
            names = [t.id() for t in flat(load(path.resolve()))]
        except Exception:
            tally.take(path.stem, "FAIL", traceback.format_exc(), 0)
            continue
        names = [n for n in names if not o.k or o.k.lower() in n.lower() or re.search(o.k, n)]
        if names:
            plan[path.resolve()] = names
    if o.list:
        print("\n".join(n for names in plan.values() for n in names))
        return 0

    def gone(number, _frame):
        for pid in list(groups):
            end_group(pid)
        os._exit(128 + number)
    signal.signal(signal.SIGTERM, gone)
    signal.signal(signal.SIGINT, gone)

    # The long files first, so that no process is left alone with one of them at the end.
    with concurrent.futures.ThreadPoolExecutor(max(1, o.j)) as pool:
        order = sorted(plan, key=lambda p: -len(plan[p]))
        for done in [pool.submit(run_file, p, plan[p], o.timeout, tally) for p in order]:
            done.result()

    for test, detail in tally.failures:
        print(f"\n===== FAIL {test}\n{detail.rstrip()}")
    count = {kind: sum(1 for r in tally.results.values() if r == kind) for kind in ("ok", "FAIL", "skip")}
    print(f"\nafter {time.monotonic() - began:.1f} s")
    print(f"{count['ok']} passed, {count['FAIL']} failed, {count['skip']} skipped")
    return 1 if count["FAIL"] or not tally.results else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        run_one_file(pathlib.Path(sys.argv[2]), sys.argv[3:])
    else:
        sys.exit(main())
