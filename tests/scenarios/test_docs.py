"""The documents say what the program does: references, examples, links, help, man page and completion."""
import os
import pathlib
import re

from support import TestCase, lightship
from support.program import ROOT

MADE = {".git", "build", "node_modules", ".venv"}


def documents():
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in MADE]
        yield from (pathlib.Path(folder, f) for f in sorted(files) if f.endswith(".md"))


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


class Reference(TestCase):
    def test_is_what_the_program_prints(self):
        printed = lightship("reference")
        self.assertEqual(printed.status, 0, printed)
        self.assertEqual((ROOT / "docs" / "configuration.md").read_text(), printed.out,
                         "docs/configuration.md is out of date: build/release/lightship reference >docs/configuration.md")


class Examples(TestCase):
    """A YAML block that begins with `# slave_config.yaml` is such a file; a further line of this kind in the
    same block begins another file beside it."""

    def blocks(self):
        for path in documents():
            for match in re.finditer(r"^```yaml\n(.*?)^```", path.read_text(), re.M | re.S):
                parts = re.split(r"^# ([a-z_]+\.yaml)$\n", match[1], flags=re.M)
                if not parts[0].strip() and len(parts) > 1:
                    line = path.read_text().count("\n", 0, match.start()) + 1
                    yield f"{path.relative_to(ROOT)}:{line}", dict(zip(parts[1::2], parts[2::2]))

    def test_in_the_documents_are_right(self):
        found = list(self.blocks())
        self.assertGreaterEqual(len(found), 6)
        for number, (place, files) in enumerate(found):
            with self.subTest(place):
                site = self.folder / str(number)
                site.mkdir()
                for name, text in files.items():
                    (site / name).write_text(text)
                    (site / name).chmod(0o600)
                done = lightship("check", "--config", site)
                self.assertEqual(done.status, 0, done)
                self.assertNotIn(": error: ", done.out)

    def test_the_site_has_no_error_and_no_warning(self):
        done = lightship("check", "--config", ROOT / "examples" / "site", "--json")
        self.assertEqual(done.status, 0, done)
        self.assertEqual([m for m in done.json["mistakes"] if m["severity"] != "note"], [])
        self.assertEqual(len(done.json["plan"]), 3)


class Links(TestCase):
    def test_lead_somewhere(self):
        for path in documents():
            for target in re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text())):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, heading = target.partition("#")
                there = (path.parent / name).resolve() if name else path
                with self.subTest(f"{path.relative_to(ROOT)}: {target}"):
                    self.assertTrue(there.exists(), "there is no such file")
                    if heading:
                        self.assertIn(heading, self.headings(there))

    def headings(self, path):
        for line in re.findall(r"^#+ (.*)$", path.read_text(), re.M):
            yield re.sub(r"[^\w\- ]", "", line.strip().lower()).replace(" ", "-")


class CommandLine(TestCase):
    """What --help says is in the man page and completed by bash, and the other way round."""

    def setUp(self):
        super().setUp()
        self.man = (ROOT / "packaging" / "lightship.1").read_text().replace("\\-", "-")
        self.completion = (ROOT / "packaging" / "lightship.bash-completion").read_text()
        listed = lightship("--help").out.split("Subcommands:")[1].split("\n\n")[0]
        self.commands = re.findall(r"^  ([a-z-]+)  ", listed, re.M)

    def options(self, *command):
        """Those of the command and of what is below it, such as `user add`."""
        told = lightship(*command, "--help").out
        _, _, below = told.partition("Subcommands:")
        found = set(re.findall(r"^  (?:-h,)?(--[a-z-]+)", told, re.M))
        return found.union(*(self.options(*command, one) for one in re.findall(r"^  ([a-z-]+)  ", below.split("\n\n")[0], re.M)))

    def test_every_command_is_in_the_man_page(self):
        self.assertEqual(re.findall(r"^\.SS ([a-z-]+)$", self.man, re.M), self.commands)

    def test_every_option_is_in_the_man_page(self):
        for command in self.commands:
            text = re.search(rf"^\.SS {command}\n(.*?)(?=^\.S[SH] )", self.man, re.M | re.S)[1]
            documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(re.findall(r"^\.TP\n(\.B.*)$", text, re.M))))
            if command == "version":
                documented |= set(re.findall(r"--json", text))
            self.assertEqual(documented, self.options(command) - {"--help"}, command)

    def test_every_option_is_completed(self):
        for command in self.commands:
            line = re.search(rf"^ +{command}\) options\+=' (.*)' ;;", self.completion, re.M)
            self.assertIsNotNone(line, command)
            self.assertEqual(set(line[1].split()), self.options(command) - {"--help"}, command)
        first = re.search(r"^ +''\) options='(.*)' ;;", self.completion, re.M)[1].split()
        self.assertEqual([w for w in first if not w.startswith("-")], self.commands)
