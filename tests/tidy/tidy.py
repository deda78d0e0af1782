"""The rules of the house, read from the sources: who may include whom, where time comes from, and such.

    tidy.py [FOLDER]     the repository by default

Each rule is one test. What is wrong is printed as `path:line: message`, and last comes
`N passed, N failed, N skipped`. Nothing but Python's standard library, no git and no compiler.
"""
import os
import pathlib
import re
import sys

SKIPPED_FOLDERS = {".git", "build", "node_modules", "__pycache__", ".venv"}
CPP = {".h", ".hpp", ".cpp"}
MAX_BYTES = 1_000_000
MAX_LINES = 600

# Who may know whom, beside the layer's own.
LAYERS = {
    "base": set(),
    "codec": {"base"},
    "link": {"base"},
    "core": {"base"},
    "config": {"base", "core"},
    "store": {"base", "core", "config"},
    "sources": {"base", "codec", "link", "core", "config"},
    "sinks": {"base", "codec", "link", "core", "config", "store"},
    "notifiers": {"base", "codec", "link", "core", "config", "store"},
    "rules": {"base", "core", "config"},
    "portal": {"base", "core", "config", "store", "link"},
    "sim": {"base", "codec", "link"},
    "third_party": set(),
}
EVERYTHING = {"app", "cli"} | set(LAYERS) - {"third_party"}
LAYERS |= {"app": EVERYTHING, "cli": EVERYTHING}
# In these each folder is a driver, and no driver knows another.
DRIVERS = {"sources", "sinks", "notifiers"}

# What a codec, which is pure, must not reach: not even through another header.
IMPURE = ("boost/asio", "base/task.h", "base/clock.h", "base/log.h", "base/worker.h")

CLOCK_CALL = re.compile(
    r"\w+\s*::\s*now\s*\(\s*\)(?!\s*(?:const|noexcept|override|\{))"
    r"|(?<![\w.>:])(?:std\s*::\s*|::\s*)?time\s*\(\s*(?:NULL|nullptr|0|&\s*[\w.>-]+)\s*\)"
    r"|(?<![\w.>])(?:clock_gettime|gettimeofday|timespec_get)\s*\(")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.M)

# Comments and literals; a number comes first because of its digit separators.
TOKEN = re.compile(
    r"""(?P<keep>(?<![\w'])\d(?:'?[\w.])*)"""
    r"""|(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))"""
    r"""|(?P<literal>(?<!\w)(?:u8|[uUL])?R"(?P<end>[^()\\\s]{0,16})\(.*?\)(?P=end)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')""",
    re.S)

HOUSE_PATH = re.compile(r"(?<![\w./-])/" + r"work/")
RESOLVED = re.compile(r'"resolved"\s*:')


class Tree:
    """All files of the repository, read once. Paths are relative and with `/`."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.paths = sorted(self._walk())
        self.texts = {}

    def _walk(self):
        for folder, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
            for name in files:
                path = pathlib.Path(folder, name)
                if not path.is_symlink() and name not in SKIPPED_FOLDERS:  # in a worktree .git is a file
                    yield path.relative_to(self.root).as_posix()

    def size(self, path):
        return (self.root / path).stat().st_size

    def text(self, path):
        """None for what is binary or too big to be source."""
        if path not in self.texts:
            data = b"\0" if self.size(path) > MAX_BYTES else (self.root / path).read_bytes()
            self.texts[path] = None if b"\0" in data else data.decode(errors="replace")
        return self.texts[path]

    def cpp(self, *folders):
        return [p for p in self.paths if suffix(p) in CPP and p.startswith(folders or "")]


def at(path, line, message):
    return f"{path}:{line}: {message}"


def suffix(path):
    return pathlib.PurePosixPath(path).suffix


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def without(text, *kinds):
    """The text with these kinds of tokens (comment, literal) blanked; the lines stay where they are."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m[0]) if m.lastgroup in kinds else m[0], text)


def includes(tree, path):
    """(line, name as written, path in the tree or None) of each include."""
    text = without(tree.text(path) or "", "comment")
    known = set(tree.paths)
    for match in INCLUDE.finditer(text):
        name = match[1]
        resolved = None
        for base in (os.path.dirname(path), "src", "include", ""):
            candidate = os.path.normpath(os.path.join(base, name))
            if candidate in known:
                resolved = candidate
                break
        yield line_of(text, match.start(1)), name, resolved


def rule_layers(tree):
    """Includes follow the table of who may know whom."""
    findings = []
    for path in tree.cpp("src/"):
        here = path.split("/")[1:]
        if len(here) == 1:
            continue  # main.cpp wires everything
        if here[0] not in LAYERS:
            findings.append(at(path, 1, f"src/{here[0]} is no layer of the house"))
            continue
        for line, name, resolved in includes(tree, path):
            there = place(name, resolved)
            if there:
                wrong = wrong_arrow(here, there, for_test=is_test(path))
                if wrong:
                    findings.append(at(path, line, f"{wrong} (\"{name}\")"))
    return findings


def place(name, resolved):
    """The parts of an include's path under src, or None when it is not ours."""
    if resolved:
        return resolved.split("/")[1:] if resolved.startswith("src/") else None
    parts = os.path.normpath(name).split("/")
    return parts if len(parts) > 1 and parts[0] in LAYERS else None


def wrong_arrow(here, there, for_test):
    mine, theirs = here[0], there[0]
    if there == ["modules.def"] and mine == "app":
        return None  # the roll call is read where the modules are made
    if len(there) == 1 or theirs not in LAYERS:
        return f"{mine} must not include src/{'/'.join(there)}"
    if mine == theirs:
        if mine in DRIVERS and len(there) > 2 and (len(here) < 3 or here[1] != there[1]):
            who = f"{mine}/{here[1]}" if len(here) > 2 else f"what {mine} share"
            return f"{who} must not include {mine}/{there[1]}: drivers do not know each other"
        return None
    # The simulated site is there for the tests, too.
    if theirs in LAYERS[mine] or for_test and theirs == "sim":
        return None
    return f"{mine} must not include {theirs}, only {', '.join(sorted(LAYERS[mine])) or 'nothing'}"


def rule_purity(tree):
    """Codecs reach no Asio, clock, log or thread."""
    findings = []
    for path in tree.cpp("src/codec/"):
        for line, name, resolved in includes(tree, path):
            way = impure_way(tree, name, resolved, set())
            if way:
                by = f" by way of {' -> '.join(way[:-1])}" if len(way) > 1 else ""
                findings.append(at(path, line, f"a codec is pure and must not include {way[-1]}{by}"))
    return findings


def impure_way(tree, name, resolved, seen):
    written = resolved.removeprefix("src/") if resolved else name
    if written.startswith(IMPURE):
        return [written]
    if not resolved or resolved in seen:
        return None
    seen.add(resolved)
    for _, further, further_resolved in includes(tree, resolved):
        way = impure_way(tree, further, further_resolved, seen)
        if way:
            return [written, *way]
    return None


def rule_cycles(tree):
    """No file includes itself, by whatever way."""
    graph = {p: [(line, to) for line, _, to in includes(tree, p) if to] for p in tree.cpp()}
    findings, done = [], set()

    def visit(path, way):
        if path in done:
            return
        for line, to in graph.get(path, []):
            if to in way or to == path:
                circle = (way + [path])[(way + [path]).index(to):] + [to]
                findings.append(at(path, line, f"includes in a circle: {' -> '.join(circle)}"))
            else:
                visit(to, way + [path])
        done.add(path)

    for path in graph:
        visit(path, [])
    return findings


def rule_clocks(tree):
    """Time comes from the injected Clock."""
    findings = []
    for path in tree.cpp("src/", "include/"):
        if path.startswith("src/base/clock.") or is_test(path):
            continue
        text = without(tree.text(path) or "", "comment", "literal")
        for match in CLOCK_CALL.finditer(text):
            call = re.sub(r"\s+", "", match[0])
            findings.append(at(path, line_of(text, match.start()), f"time comes from the injected Clock, not from {call}"))
    return findings


def rule_purpose(tree):
    """Every source file begins by saying what it is for."""
    findings = []
    for path in tree.paths:
        if not is_source(path) or tree.text(path) is None or tree.size(path) == 0:
            continue
        lines = tree.text(path).splitlines()
        number = 1 if lines[0].startswith("#!") else 0
        while number < len(lines) and not lines[number].strip():
            number += 1
        first = lines[number] if number < len(lines) else ""
        if not says_something(first, suffix(path)):
            findings.append(at(path, min(number, len(lines) - 1) + 1, "begin with a comment of one line that says what this file is for"))
    return findings


def is_source(path):
    name = pathlib.PurePosixPath(path).name
    if suffix(path) in CPP | {".py", ".sh", ".cmake"} or name == "CMakeLists.txt":
        return True
    # Scripts of the root (run, test, ...) and of the continuous integration.
    return "." not in name and ("/" not in path or path.startswith((".ci/", "scripts/"))) and not name.isupper()


def is_test(path):
    """Tests stand beside what they test; what several of them share, in a folder `testing`."""
    return path.endswith("_test.cpp") or "/testing/" in path


def says_something(line, kind):
    if kind in CPP:
        match = re.match(r"(?://+|/\*+)(.*)", line)
    elif kind == ".py":
        match = re.match(r"""(?:#|[rR]?["']{3})(.*)""", line)
    else:
        match = re.match(r"#(.*)", line)
    if not match or re.search(r"copyright|SPDX|clang-format|-\*-|shellcheck", match[1], re.I):
        return False
    return len(re.findall(r"\w{2,}", match[1])) >= 2


def rule_size(tree):
    """No file is bigger than 1 MB."""
    return [at(p, 1, f"{tree.size(p)} bytes, more than 1 MB") for p in tree.paths if tree.size(p) > MAX_BYTES]


def rule_words(tree):
    """Nothing of one machine: its paths, or where its packages came from."""
    findings = []
    for path in tree.paths:
        text = tree.text(path)
        if text is None:
            continue
        for match in HOUSE_PATH.finditer(text):
            findings.append(at(path, line_of(text, match.start()), f"{match[0]} is a folder of one machine"))
        if pathlib.PurePosixPath(path).name == "package-lock.json":
            match = RESOLVED.search(text)
            if match:
                findings.append(at(path, line_of(text, match.start()),
                                           '"resolved" names a registry; npm install with omit-lockfile-registry-resolved=true'))
    return findings


def rule_length(tree):
    """No C++ file is longer than 600 lines."""
    findings = []
    for path in tree.cpp():
        lines = (tree.text(path) or "").count("\n")
        if lines > MAX_LINES:
            findings.append(at(path, MAX_LINES + 1, f"{lines} lines, more than {MAX_LINES}: one idea per file"))
    return findings


RULES = [rule_layers, rule_purity, rule_cycles, rule_clocks, rule_purpose, rule_size, rule_words, rule_length]


def main(root):
    tree = Tree(root)
    failed = 0
    for rule in RULES:
        findings = rule(tree)
        print("\n".join(findings) + "\n" if findings else "", end="")
        print(f"{'FAILED' if findings else 'ok'} tidy: {rule.__doc__.splitlines()[0]}")
        failed += bool(findings)
    print(f"{len(RULES) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]))
