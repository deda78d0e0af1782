"""Proves that each rule of tidy.py fires where it should, with path and line, and nowhere else."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tidy  # noqa: E402


class TidyTest(unittest.TestCase):
    def found(self, rule, files):
        """`path:line` of each finding of a rule in a small tree of {path: content}."""
        return [":".join(f.split(":")[:2]) for f in self.messages(rule, files)]

    def messages(self, rule, files):
        with tempfile.TemporaryDirectory() as root:
            for path, content in files.items():
                full = pathlib.Path(root, path)
                full.parent.mkdir(parents=True, exist_ok=True)
                full.write_bytes(content if isinstance(content, bytes) else content.encode())
            return rule(tidy.Tree(root))


class Layers(TidyTest):
    def layers(self, **files):
        return self.found(tidy.rule_layers, {k.replace("__", "/") + ".cpp": v for k, v in files.items()})

    def test_lets_an_arrow_of_the_table_pass(self):
        self.assertEqual(self.layers(src__sources__modbus__line='// x\n#include "codec/modbus/crc.h"\n#include "link/tcp.h"\n'), [])

    def test_tells_a_wrong_arrow_and_its_line(self):
        self.assertEqual(self.layers(src__core__bus='// x\n\n#include "link/tcp.h"\n'), ["src/core/bus.cpp:3"])

    def test_says_what_would_be_right(self):
        message = self.messages(tidy.rule_layers, {"src/core/bus.cpp": '// x\n#include "link/tcp.h"\n'})
        self.assertEqual(message, ['src/core/bus.cpp:2: core must not include link, only base ("link/tcp.h")'])

    def test_knows_each_layer_of_the_table(self):
        allowed = {"base": "", "codec": "base", "link": "base", "core": "base", "config": "base core",
                   "store": "base core config", "sources": "base codec link core config",
                   "sinks": "base codec link core config store", "notifiers": "base codec link core config store",
                   "rules": "base core config", "portal": "base core config store link", "sim": "base codec link"}
        layers = [*allowed, "app", "cli"]
        for here in layers:
            for there in layers:
                right = here == there or here in ("app", "cli") or there in allowed[here].split()
                with self.subTest(here=here, there=there):
                    found = self.found(tidy.rule_layers, {f"src/{here}/x/a.cpp": f'// x\n#include "{there}/x/b.h"\n'})
                    self.assertEqual(found, [] if right else [f"src/{here}/x/a.cpp:2"])

    def test_lets_no_source_know_another(self):
        self.assertEqual(self.layers(src__sources__modbus__a='// x\n#include "sources/iec61850/b.h"\n'), ["src/sources/modbus/a.cpp:2"])

    def test_lets_no_sink_know_another_by_a_relative_path(self):
        files = {"src/sinks/mqtt/a.cpp": '// x\n#include "../http/b.h"\n', "src/sinks/http/b.h": "// x\n"}
        self.assertEqual(self.found(tidy.rule_layers, files), ["src/sinks/mqtt/a.cpp:2"])

    def test_lets_what_sources_share_know_none_of_them(self):
        self.assertEqual(self.layers(src__sources__shared='// x\n#include "sources/modbus/b.h"\n'), ["src/sources/shared.cpp:2"])

    def test_lets_a_driver_include_its_own_folder(self):
        files = {"src/sinks/mqtt/a.cpp": '// x\n#include "a.h"\n#include "sinks/mqtt/b.h"\n#include "sinks/shared.h"\n',
                 "src/sinks/mqtt/a.h": "// x\n", "src/sinks/mqtt/b.h": "// x\n", "src/sinks/shared.h": "// x\n"}
        self.assertEqual(self.found(tidy.rule_layers, files), [])

    def test_sees_angle_brackets_and_spaces(self):
        self.assertEqual(self.layers(src__base__a="// x\n #  include <core/bus.h>\n"), ["src/base/a.cpp:2"])

    def test_looks_at_no_comment(self):
        self.assertEqual(self.layers(src__base__a='// x\n// #include "core/bus.h"\n/*\n#include "core/bus.h"\n*/\n'), [])

    def test_lets_libraries_and_their_like_named_folders_pass(self):
        self.assertEqual(self.layers(src__base__a="// x\n#include <boost/asio/link/x.h>\n#include <vector>\n#include <fmt/core.h>\n"), [])

    def test_lets_only_tests_use_the_simulated_site(self):
        files = {"src/sources/modbus/a.cpp": '// x\n#include "sim/meter.h"\n',
                 "src/sources/modbus/a_test.cpp": '// x\n#include "sim/meter.h"\n'}
        self.assertEqual(self.found(tidy.rule_layers, files), ["src/sources/modbus/a.cpp:2"])

    def test_lets_main_include_all(self):
        self.assertEqual(self.layers(src__main='// x\n#include "cli/cli.h"\n'), [])

    def test_refuses_a_folder_that_is_no_layer(self):
        self.assertEqual(self.layers(src__helpers__a="// x\n"), ["src/helpers/a.cpp:1"])

    def test_looks_at_src_only(self):
        self.assertEqual(self.layers(tests__a='// x\n#include "app/app.h"\n', fuzz__b='// x\n#include "app/app.h"\n'), [])


class Purity(TidyTest):
    def test_keeps_asio_and_the_house_out_of_codecs(self):
        for name in ("boost/asio.hpp", "boost/asio/ip/tcp.hpp", "base/task.h", "base/clock.h", "base/log.h", "base/worker.h"):
            with self.subTest(name):
                found = self.found(tidy.rule_purity, {"src/codec/modbus/crc.h": f"// x\n#include <{name}>\n"})
                self.assertEqual(found, ["src/codec/modbus/crc.h:2"])

    def test_sees_through_other_headers(self):
        files = {"src/codec/a/a.h": '// x\n#include "base/b.h"\n', "src/base/b.h": '// x\n#include "c.h"\n',
                 "src/base/c.h": '// x\n#include "base/task.h"\n', "src/base/task.h": "// x\n"}
        self.assertEqual(self.messages(tidy.rule_purity, files), [
            "src/codec/a/a.h:2: a codec is pure and must not include base/task.h by way of base/b.h -> base/c.h"])

    def test_lets_the_rest_pass(self):
        files = {"src/codec/a/a.h": '// x\n#include "base/bytes.h"\n#include "codec/ber/tag.h"\n',
                 "src/link/tcp.cpp": "// x\n#include <boost/asio.hpp>\n"}
        self.assertEqual(self.found(tidy.rule_purity, files), [])


class Cycles(TidyTest):
    def test_finds_a_circle_once(self):
        files = {"src/base/a.h": '// x\n#include "base/b.h"\n', "src/base/b.h": '// x\n\n#include "c.h"\n',
                 "src/base/c.h": '// x\n#include "base/a.h"\n'}
        self.assertEqual(self.messages(tidy.rule_cycles, files), [
            "src/base/c.h:2: includes in a circle: src/base/a.h -> src/base/b.h -> src/base/c.h -> src/base/a.h"])

    def test_finds_a_file_that_includes_itself(self):
        self.assertEqual(self.found(tidy.rule_cycles, {"src/base/a.h": '// x\n#include "a.h"\n'}), ["src/base/a.h:2"])

    def test_lets_two_ways_to_one_header_pass(self):
        files = {"src/base/a.h": '// x\n#include "b.h"\n#include "c.h"\n', "src/base/b.h": '// x\n#include "d.h"\n',
                 "src/base/c.h": '// x\n#include "d.h"\n', "src/base/d.h": "// x\n"}
        self.assertEqual(self.found(tidy.rule_cycles, files), [])


class Clocks(TidyTest):
    def clocks(self, body, path="src/core/a.cpp"):
        return self.found(tidy.rule_clocks, {path: "// x\n" + body + "\n"})

    def test_finds_every_way_to_ask_the_system(self):
        for call in ("std::chrono::system_clock::now()", "steady_clock :: now ()", "Alias::now()", "time(nullptr)", "std::time(0)",
                     "::time(NULL)", "time(&t)", "clock_gettime(CLOCK_REALTIME, &t)", "::gettimeofday(&t, nullptr)"):
            with self.subTest(call):
                self.assertEqual(self.clocks(f"auto t = {call};"), ["src/core/a.cpp:2"])

    def test_lets_the_injected_clock_and_its_like_pass(self):
        for body in ("auto t = clock_.now();", "auto t = clock->now();", "Time ManualClock::now() const { return now_; }",
                     "Time Fake::now() { return t; }", "Time time() const;", "reading.time(0);", "at->time(nullptr);",
                     "record::time(0);", "uptime(0);", "// steady_clock::now()", 'log("time(0)");', "auto r = R\"(time(0))\";",
                     "int million = 1'000'000; char c = '\"'; // time(0)"):
            with self.subTest(body):
                self.assertEqual(self.clocks(body), [])

    def test_counts_lines_behind_literals_and_comments(self):
        self.assertEqual(self.clocks("/* a\nb */ auto s = R\"(\n\n)\"; int n = 1'000;\nauto t = time(0);"), ["src/core/a.cpp:6"])

    def test_lets_the_clock_itself_and_tests_ask(self):
        for path in ("src/base/clock.cpp", "src/base/clock.h", "src/base/worker_test.cpp", "src/link/testing/loop.h", "tests/a.cpp", "bench/a.cpp", "fuzz/a.cpp"):
            with self.subTest(path):
                self.assertEqual(self.clocks("auto t = std::chrono::steady_clock::now();", path), [])


class Purpose(TidyTest):
    def purpose(self, path, content):
        return self.found(tidy.rule_purpose, {path: content})

    def test_lets_a_file_pass_that_says_what_it_is_for(self):
        for path, content in {"src/a.h": "// A ring of bytes.\n#pragma once\n", "src/a.cpp": "/* A ring of bytes. */\n",
                              "a.py": '#!/usr/bin/python3\n"""Runs the tests."""\n', "b.py": "# Runs the tests.\n",
                              "run": "#!/bin/bash\n# Runs it all.\n", "scripts/a.sh": "#!/bin/bash\n# Sets up.\n",
                              "CMakeLists.txt": "# Builds it all.\n", "cmake/a.cmake": "# Finds Boost.\n", "tests/__init__.py": "",
                              "LICENSE": "MIT License\n", "README.md": "Lightship\n", ".ci/run": "#!/bin/sh\n# Runs it all.\n"}.items():
            with self.subTest(path):
                self.assertEqual(self.purpose(path, content), [])

    def test_finds_a_file_that_does_not(self):
        for path, content, line in [("src/a.h", "#pragma once\n// A ring.\n", 1), ("src/a.cpp", '#include "a.h"\n', 1),
                                    ("a.py", "#!/usr/bin/python3\nimport os\n", 2), ("run", "#!/bin/bash\nset -e\n", 2),
                                    ("scripts/a.sh", "#!/bin/bash\n\nset -e\n", 3), ("CMakeLists.txt", "project(a)\n", 1),
                                    ("cmake/a.cmake", "find_package(a)\n", 1), ("src/b.h", "// Copyright 2026 Somebody Else\n", 1),
                                    ("src/c.h", "//\n", 1), (".ci/run", "#!/bin/sh\n./test\n", 2), ("b.py", "#!/usr/bin/python3\n", 1)]:
            with self.subTest(path):
                self.assertEqual(self.purpose(path, content), [f"{path}:{line}"])


class Sizes(TidyTest):
    def test_finds_a_file_of_more_than_a_megabyte(self):
        files = {"a.bin": b"\0" * 1_000_001, "b.bin": b"\0" * 1_000_000, "build/c.bin": b"\0" * 2_000_000}
        self.assertEqual(self.found(tidy.rule_size, files), ["a.bin:1"])

    def test_finds_a_source_of_more_than_600_lines(self):
        files = {"src/base/a.cpp": "// x\n" * 601, "src/base/b.cpp": "// x\n" * 600, "docs/c.md": "x\n" * 900}
        self.assertEqual(self.found(tidy.rule_length, files), ["src/base/a.cpp:601"])


class Words(TidyTest):
    def test_finds_a_path_of_one_machine(self):
        self.assertEqual(self.found(tidy.rule_words, {"docs/a.md": "x\nsee /wo" + "rk/shared\n"}), ["docs/a.md:2"])

    def test_lets_like_words_pass(self):
        for text in ("the work/life of it", "docs/wo" + "rk/plan.md", "https://example.org/wo" + "rk/"):
            with self.subTest(text):
                self.assertEqual(self.found(tidy.rule_words, {"docs/a.md": text}), [])

    def test_finds_a_lock_file_that_names_a_registry(self):
        files = {"web/package-lock.json": '{\n "a": {\n  "resolved" : "x"\n }\n}\n', "web/other.json": '{"resolved": 1}\n',
                 "node_modules/a/package-lock.json": '{"resolved": 1}\n'}
        self.assertEqual(self.found(tidy.rule_words, files), ["web/package-lock.json:3"])

    def test_looks_into_no_binary(self):
        self.assertEqual(self.found(tidy.rule_words, {"a.bin": b"\0/wo" + b"rk/"}), [])


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    wrong = len(result.failures) + len(result.errors)
    # A test with several subtests counts once, however many of them fail.
    failed = len({getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if wrong else 0)
