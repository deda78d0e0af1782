"""The base of every test: what it starts is stopped in the end, and when it fails it tells what was said."""
import os
import pathlib
import shutil
import tempfile
import unittest


def missing_peer(reason):
    """Skips the test because software it talks to is not here. Where all of it must be, that is a failure."""
    if os.environ.get("LIGHTSHIP_REQUIRE_PEERS") == "1":
        raise AssertionError(f"missing peer: {reason}")
    raise unittest.SkipTest(reason)


class TestCase(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        super().setUp()
        self._started = []
        self._folder = None

    @property
    def folder(self):
        """A folder of this test alone."""
        if self._folder is None:
            self._folder = pathlib.Path(tempfile.mkdtemp(prefix="lightship-test-"))
            self.addCleanup(shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def start(self, thing):
        """Starts it now and stops it when the test is over."""
        self._started.append(thing)
        self.addCleanup(thing.stop)
        thing.start()
        return thing

    def what_was_said(self):
        """The last output of everything that was started, for the report of a failure."""
        return "\n".join(text for thing in self._started if (text := getattr(thing, "said", lambda: "")()))
