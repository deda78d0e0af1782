"""Runs the native test programs of a build: unit tests, replay of the fuzz corpora, fuzzing.

    programs.py unit FOLDER                          every GoogleTest program in FOLDER
    programs.py replay FOLDER CORPUS                 every fuzz target in FOLDER on CORPUS/<target>
    programs.py fuzz FOLDER CORPUS CRASHES SECONDS   every libFuzzer target in FOLDER for SECONDS

Two at a time; the last line is `N passed, N failed, N skipped`. A program that crashes or takes too
long is one failed test, shown with what it printed.
"""
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

LIMIT_S = 300
AT_A_TIME = 2


class Count:
    def __init__(self, passed=0, failed=0, skipped=0, text=""):
        self.passed, self.failed, self.skipped, self.text = passed, failed, skipped, text


def programs(folder):
    """The executables in `folder`; none when it is not there."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_file() and os.access(p, os.X_OK))


def run(command, limit, **more):
    """Exit status (None: took too long) and everything printed."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   start_new_session=True, **more)
        try:
            status = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            # Also what the program left running in its session.
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        output.seek(0)
        return status, output.read().decode(errors="replace")


def how_it_ended(status, limit):
    if status is None:
        return f"took longer than {limit} s"
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with exit status {status}"


def unit(program):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        status, output = run([program, "--gtest_brief=1", f"--gtest_output=json:{report}"], LIMIT_S)
        try:
            result = json.loads(report.read_text())
        except (OSError, ValueError):
            return Count(failed=1, text=f"FAILED {program.name}: {how_it_ended(status, LIMIT_S)}\n{output}")
    tests = [t for suite in result["testsuites"] for t in suite["testsuite"] if t["status"] == "RUN"]
    skips = [t for t in tests if t["result"] == "SKIPPED"]
    failures = [t for t in tests if t.get("failures")]
    count = Count(len(tests) - len(skips) - len(failures), len(failures), len(skips))
    lines = [f"{program.name}: {len(tests)} tests"]
    lines += [f"FAILED {t['classname']}.{t['name']}" for t in failures]
    lines += [f"skipped {t['classname']}.{t['name']}: {why or 'no reason given'}"
              for t, why in itertools.zip_longest(skips, reasons(output)) if t]
    if status != 0 and not failures:
        count.failed += 1
        lines.append(f"FAILED {program.name}: every test passed, but it {how_it_ended(status, LIMIT_S)}")
    if count.failed:
        lines.append(output)
    count.text = "\n".join(lines)
    return count


def reasons(output):
    """Of the skips, in their order. GoogleTest 1.12 leaves them out of its report."""
    return re.findall(r": Skipped\n(.*)", output)


def replay(program, corpus):
    inputs = corpus / program.name
    if not inputs.is_dir() or not any(inputs.iterdir()):
        return Count(skipped=1, text=f"skipped {program.name}: no corpus in {inputs}")
    status, output = run([program, inputs], LIMIT_S)
    if status == 0:
        return Count(passed=1, text=f"{program.name}: {sum(1 for _ in inputs.iterdir())} inputs")
    return Count(failed=1, text=f"FAILED {program.name}: {how_it_ended(status, LIMIT_S)}\n{output}")


def fuzz(program, corpus, crashes, seconds):
    limit = seconds + 120
    with tempfile.TemporaryDirectory() as folder:
        found = pathlib.Path(folder) / "found"
        artifacts = pathlib.Path(folder) / "artifacts"
        found.mkdir()
        artifacts.mkdir()
        folders = [found] + [p for p in [corpus / program.name] if p.is_dir()]
        # libFuzzer writes what it learns into the first folder only, so the corpus stays as it is.
        status, output = run([program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
                              "-print_final_stats=1", f"-artifact_prefix={artifacts}/", *folders], limit, cwd=folder)
        if status == 0:
            return Count(passed=1, text=f"{program.name}: {final_stat(output)} runs")
        kept = []
        for artifact in sorted(artifacts.iterdir()):
            crashes.mkdir(parents=True, exist_ok=True)
            kept.append(crashes / f"{program.name}-{artifact.name}")
            shutil.copyfile(artifact, kept[-1])
    text = f"FAILED {program.name}: {how_it_ended(status, limit)}\n{output}"
    return Count(failed=1, text=text + "".join(f"input kept in {k}\n" for k in kept))


def final_stat(output):
    for line in output.splitlines():
        if line.startswith("stat::number_of_executed_units:"):
            return line.split()[1]
    return "some"


def main(what, folder, *rest):
    found = programs(pathlib.Path(folder).absolute())
    if what == "unit":
        def job(program):
            return unit(program)
    elif what == "replay":
        def job(program):
            return replay(program, pathlib.Path(rest[0]).absolute())
    elif what == "fuzz":
        def job(program):
            return fuzz(program, pathlib.Path(rest[0]).absolute(), pathlib.Path(rest[1]).absolute(), int(rest[2]))
    else:
        sys.exit(__doc__)

    total = Count()
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for count in pool.map(job, found):
            print(count.text, flush=True)
            total.passed += count.passed
            total.failed += count.failed
            total.skipped += count.skipped
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
