"""The portal's pages get into the program: once, reproducibly, and from a release without Node."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from support import TestCase
from support.program import ROOT

SCRIPT = ROOT / "web" / "scripts" / "build.py"
MADE = ROOT / "build" / "web"


def run(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=110, check=False, **more)


def content(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.suffix in (".gz", ".raw", ".cpp")}


@unittest.skipUnless((MADE / "dist.sources").exists(), "build/web: the pages of this build were given ready-made")
class Pages(TestCase):
    def tools_without_node(self):
        """A PATH with everything of this machine except Node and npm."""
        tools = self.folder / "bin"
        tools.mkdir()
        for folder in ("/bin", "/usr/bin"):
            for tool in os.listdir(folder):
                if not re.match(r"(node|nodejs|npm|npx|corepack)\b", tool) and not (tools / tool).exists():
                    (tools / tool).symlink_to(f"{folder}/{tool}")
        return dict(os.environ, PATH=str(tools))

    def released(self, environment):
        """web/ as a release has it."""
        tree = self.folder / "release"
        shutil.copytree(ROOT / "web", tree / "web", ignore=shutil.ignore_patterns("node_modules", "dist", "out", "e2e", "test"))
        shutil.copytree(MADE / "dist", tree / "web" / "dist")
        digest = run("/usr/bin/python3", "-B", tree / "web/scripts/build.py", "--out", self.folder, "--digest", env=environment).stdout
        (tree / "web/dist/.release").write_text(digest)
        return tree

    def test_are_made_once(self):
        before = {p: p.stat().st_mtime_ns for p in (MADE / "site").iterdir()}
        done = run("/usr/bin/python3", "-B", SCRIPT, "--out", MADE, env=self.tools_without_node())
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual({p: p.stat().st_mtime_ns for p in (MADE / "site").iterdir()}, before)

    def test_are_the_same_each_time(self):
        again = self.folder / "again"
        done = run("/usr/bin/python3", "-B", SCRIPT, "--out", again)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("JS for / with shell", done.stdout)
        self.assertEqual(content(again / "site"), content(MADE / "site"))

    def test_of_a_release_need_no_node(self):
        environment = self.tools_without_node()
        tree = self.released(environment)
        out = self.folder / "out"
        done = run("/usr/bin/python3", "-B", tree / "web/scripts/build.py", "--out", out, env=environment)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(content(out / "site"), content(MADE / "site"))

    def test_of_a_release_are_not_taken_for_other_sources(self):
        environment = self.tools_without_node()
        tree = self.released(environment)
        with open(tree / "web/index.html", "a", encoding="ascii") as page:
            page.write("<!-- changed -->\n")
        done = run("/usr/bin/python3", "-B", tree / "web/scripts/build.py", "--out", self.folder / "out", env=environment)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("made from other sources", done.stderr)
        self.assertIn("apt install nodejs npm", done.stderr)

    def test_that_are_given_are_taken(self):
        done = run("/usr/bin/python3", "-B", SCRIPT, "--out", self.folder / "out", "--dist", MADE / "dist", env=self.tools_without_node())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(content(self.folder / "out/site"), content(MADE / "site"))
        done = run("/usr/bin/python3", "-B", SCRIPT, "--out", self.folder / "out", "--dist", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there are no built pages (index.html)", done.stderr)

    def test_that_are_too_large_fail_the_build(self):
        large = self.folder / "large"
        shutil.copytree(MADE / "dist", large)
        entry = next(p for p in (large / "assets").glob("index-*.js"))
        entry.write_bytes(entry.read_bytes() + os.urandom(20_000))
        done = run("node", ROOT / "web/scripts/budget.mjs", f"{large}/")
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stdout, r"JS for / with shell .* OVER THE BUDGET")


@unittest.skipUnless((ROOT / ".git").exists() and shutil.which("git"), "no git: a release is made from a commit")
class Release(TestCase):
    def test_is_configured_without_node(self):
        made = run(ROOT / "scripts/release.sh")
        if "commit it first" in made.stderr:
            self.skipTest("web/ is being worked on: it is not what was committed")
        self.assertEqual(made.returncode, 0, made)
        archive = pathlib.Path(made.stdout.splitlines()[-1])
        run("tar", "-xzf", archive, "-C", self.folder)
        tree = next(self.folder.glob("lightship-*"))
        environment = Pages.tools_without_node(self)
        configured = run("cmake", "--preset", "release", cwd=tree, env=environment)
        self.assertEqual(configured.returncode, 0, configured)
        pages = run("ninja", "-C", tree / "build/release", "portal_pages", env=environment)
        self.assertEqual(pages.returncode, 0, pages)
        self.assertEqual(content(tree / "build/web/site"), content(MADE / "site"))
