"""Runs the benchmarks one after the other and shows what they measured as a table of ratios.

    bench_table.py PROGRAMS SCRIPTS RESULTS.json [NAME...]

A benchmark is a program in PROGRAMS or a SCRIPTS/*.py. It prints one JSON object a line:
{"name", "ours", "peer", "ratio", "unit", "higher_is_better", ...}; every other line is passed on.
`peer` and `ratio` may be null where there is nothing to compare with.
"""
import json
import os
import pathlib
import platform
import subprocess
import sys
import time


def benchmarks(programs, scripts, names):
    found = [[p] for p in sorted(programs.glob("*")) if p.is_file() and os.access(p, os.X_OK)]
    found += [["/usr/bin/python3", p] for p in sorted(scripts.glob("*.py")) if not p.name.startswith("_")]
    return [c for c in found if not names or any(n in c[-1].stem for n in names)]


def run(command):
    """What one benchmark measured, and whether it ended well."""
    rows = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            row = measured(line)
            if row:
                rows.append(row | {"benchmark": command[-1].stem})
            else:
                print(line, end="", file=sys.stderr, flush=True)
    return rows, process.returncode == 0


def measured(line):
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "name" in row and "ours" in row else None


def table(rows):
    lines = [("benchmark", "Lightship", "peer", "unit", "ratio", "")]
    lines += [(row["name"], number(row["ours"]), number(row.get("peer")), row.get("unit", ""), ratio(row), verdict(row))
              for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(6)]
    for line in lines:
        print("  ".join(text.rjust(w) if i in (1, 2, 4) else text.ljust(w)
                        for i, (text, w) in enumerate(zip(line, widths))).rstrip())


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def ratio(row):
    return "-" if row.get("ratio") is None else f"{row['ratio']:.2f}"


def verdict(row):
    if row.get("ratio") is None:
        return ""
    better = row["ratio"] >= 1 if row.get("higher_is_better", True) else row["ratio"] <= 1
    return "better" if better else "worse"


def main(programs, scripts, results, *names):
    rows, failed = [], []
    for command in benchmarks(pathlib.Path(programs), pathlib.Path(scripts), names):
        print(f"running {command[-1].stem}", file=sys.stderr, flush=True)
        more, well = run(command)
        rows += more
        if not well:
            failed.append(command[-1].stem)
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "kernel": platform.release()}
    report = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "host": machine, "failed": failed, "results": rows}
    pathlib.Path(results).write_text(json.dumps(report, indent=2) + "\n")
    if rows:
        table(rows)
    for name in failed:
        print(f"FAILED {name}", file=sys.stderr)
    if not rows and not failed:
        print("there is no benchmark" + (" by that name" if names else ""), file=sys.stderr)
    return 0 if rows and not failed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
