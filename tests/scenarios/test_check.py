"""`lightship check`: what users have is taken, and every mistake is shown with its place and the right word."""
import json
import re
import shutil

import yaml

from support import TestCase, configuration as c, lightship
from support.program import ROOT

ORIGINALS = ROOT / "tests" / "data" / "rtu"


class CheckTest(TestCase):
    def check(self, *more, **files):
        for name, text in files.items():
            (self.folder / f"{name}.yaml").write_text(text)
        return lightship("check", "--config", self.folder, *more)

    def mistakes(self, **files):
        return self.check("--json", **files).json["mistakes"]


class TheFilesOfTheOriginal(CheckTest):
    def test_are_taken_as_they_are(self):
        done = lightship("check", "--config", ORIGINALS)
        self.assertEqual(done.status, 0, done)
        self.assertNotIn(": error: ", done.out)

    def test_are_taken_as_json(self):
        done = lightship("check", "--config", ORIGINALS, "--json")
        self.assertEqual(done.status, 0, done)
        self.assertIs(done.json["ok"], True)
        self.assertEqual([m for m in done.json["mistakes"] if m["severity"] == "error"], [])

    def test_the_plan_of_each_line_is_shown(self):
        plan = {p["connection"]: p for p in lightship("check", "--config", ORIGINALS, "--json").json["plan"]}
        self.assertEqual(set(plan), {"incomer", "annex"})
        for line in plan.values():
            self.assertEqual(set(line), {"connection", "requests", "cycle_ms", "load_percent"})
        self.assertGreater(plan["incomer"]["cycle_ms"], 0)
        self.assertIn("incomer", lightship("check", "--config", ORIGINALS).out)

    def test_a_missing_port_is_a_note_and_a_type_without_a_topic_a_warning(self):
        found = lightship("check", "--config", ORIGINALS, "--json").json["mistakes"]
        self.assertTrue([m for m in found if m["severity"] == "warning" and "default" in json.dumps(m)], found)
        self.assertTrue(all(m["severity"] != "error" for m in found if "ttyS0" in json.dumps(m)), found)

    def test_a_certificate_that_is_not_there_is_a_warning(self):
        site = {"communication": "device_id: s\ncommunication:\n  mqtt_config: {host: localhost, use_tls: true, ca_file: lost.pem}\n"
                                 "  api_endpoints:\n    electrical:\n      measurements: {url: 'https://localhost/', key_file: k.pem,"
                                 " cert_file: c.pem}\n"}
        found = [m["message"] for m in self.mistakes(**site) if m["severity"] == "warning"]
        for name in ("ca_file", "cert_file", "key_file"):
            self.assertTrue(any(m.startswith(f"{name}: there is no file") for m in found), found)

    def test_a_size_that_could_not_be_kept_is_told_with_the_one_that_is_used(self):
        for section in ("outbox", "history"):
            site = {"communication": f"device_id: s\ncommunication:\n  {section}: {{max_size: 8MB}}\n"}
            found = self.mistakes(**site)
            self.assertEqual([m["severity"] for m in found], ["warning"], found)
            self.assertIn("16MB", found[0]["message"])

    def test_check_creates_nothing(self):
        shutil.copytree(ORIGINALS, self.folder / "site")
        before = sorted(p.name for p in (self.folder / "site").iterdir())
        lightship("check", "--config", self.folder / "site")
        self.assertEqual(sorted(p.name for p in (self.folder / "site").iterdir()), before)


WRONG = """\
connections:
  - id: main
    connection_type: serial
    port: /dev/ttyS9
    baudrate: 9600
    parity: X
    clients:
      - id: meter
        unit_id: 300
        meter_model: schneider_em640
        registers: {}
"""


class Mistakes(CheckTest):
    def test_are_all_found_at_once_with_their_places(self):
        found = [m for m in self.mistakes(slave_config=WRONG) if m["severity"] == "error"]
        places = {(m["file"], m["line"], m["column"]) for m in found}
        self.assertLessEqual({("slave_config.yaml", 5, 5), ("slave_config.yaml", 6, 13), ("slave_config.yaml", 9, 18),
                              ("slave_config.yaml", 10, 22)}, places, found)

    def test_have_exactly_these_members(self):
        for m in self.mistakes(slave_config=WRONG):
            self.assertEqual(list(m), ["severity", "file", "line", "column", "path", "message", "found", "expected", "suggestion"])

    def test_exit_with_78(self):
        self.assertEqual(self.check(slave_config=WRONG).status, 78)
        self.assertEqual(self.check("--json", slave_config=WRONG).status, 78)
        self.assertIs(self.check("--json", slave_config=WRONG).json["ok"], False)

    def test_name_the_nearest_word(self):
        found = {(m["line"], m["suggestion"]) for m in self.mistakes(slave_config=WRONG)}
        self.assertIn((5, "baud_rate"), found)
        self.assertIn((10, "schneider_em6400"), found)

    def test_are_shown_with_the_line_and_a_caret(self):
        lines = self.check(slave_config=WRONG).out.splitlines()
        at = next(i for i, line in enumerate(lines) if re.match(r"(.*/)?slave_config\.yaml:5:5: error: .*baudrate", line))
        shown = next(i for i in range(at, at + 4) if "baudrate: 9600" in lines[i] and not lines[i].startswith("slave_config"))
        caret = lines[shown + 1]
        self.assertIn("^", caret)
        self.assertEqual(caret.index("^"), lines[shown].index("baudrate"))
        self.assertTrue(any("baud_rate" in line for line in lines[at:at + 5]), lines)

    def one(self, what, line, text, **files):
        found = [m for m in self.mistakes(**files) if m["severity"] == "error"]
        self.assertTrue([m for m in found if m["line"] == line and re.search(text, json.dumps(m), re.I)],
                        f"{what}: no error in line {line} with {text!r} among {found}")

    CONNECTION = "connections:\n  - id: a\n    connection_type: tcp\n    host: 127.0.0.1\n    clients:\n"

    def test_a_duplicate_key(self):
        self.one("duplicate", 5, "duplicate|twice|already",
                 slave_config="connections:\n  - id: a\n    connection_type: tcp\n    host: 127.0.0.1\n    host: 127.0.0.2\n    clients: []\n")

    def test_a_duplicate_unit(self):
        self.one("unit", 7, "unit", slave_config=self.CONNECTION + "      - {id: x, unit_id: 1, registers: {p: {address: 0, data_type: int16}}}\n"
                 "      - {id: y, unit_id: 1, registers: {p: {address: 0, data_type: int16}}}\n")

    def test_a_duplicate_id(self):
        self.one("id", 7, "x", slave_config=self.CONNECTION + "      - {id: x, unit_id: 1, registers: {p: {address: 0, data_type: int16}}}\n"
                 "      - {id: x, unit_id: 2, registers: {p: {address: 0, data_type: int16}}}\n")

    def test_a_wrong_type(self):
        self.one("type", 6, "unit_id", slave_config=self.CONNECTION + "      - {id: x, unit_id: one, registers: {p: {address: 0, data_type: int16}}}\n")

    def test_a_key_that_does_not_fit_the_connection(self):
        self.one("key", 4, "baud_rate", slave_config="connections:\n  - id: a\n    connection_type: tcp\n    baud_rate: 9600\n"
                 "    host: 127.0.0.1\n    clients: []\n")

    def test_a_host_without_a_name(self):
        self.one("host", 4, "host", slave_config='connections:\n  - id: a\n    connection_type: tcp\n    host: ""\n    clients: []\n')

    def test_an_interval_of_nothing_is_said_once(self):
        found = self.mistakes(slave_config=self.CONNECTION + "      - {id: x, unit_id: 1, poll_interval: 0, "
                              "registers: {p: {address: 0, data_type: int16}}}\n")
        self.assertEqual([(m["severity"], m["line"]) for m in found if m["severity"] != "note"], [("error", 6)], found)

    def test_a_register_beyond_the_last_address(self):
        self.one("address", 6, "65535|65536|address", slave_config=self.CONNECTION
                 + "      - {id: x, unit_id: 1, registers: {p: {address: 65535, data_type: float32}}}\n")

    def test_a_count_that_does_not_fit_the_type(self):
        self.one("count", 6, "count", slave_config=self.CONNECTION
                 + "      - {id: x, unit_id: 1, registers: {p: {address: 0, count: 1, data_type: float32}}}\n")

    def test_a_data_type_that_does_not_exist(self):
        self.one("data type", 6, "float32", slave_config=self.CONNECTION
                 + "      - {id: x, unit_id: 1, registers: {p: {address: 0, data_type: floot32}}}\n")

    def test_a_wildcard_in_a_topic(self):
        self.one("topic", 6, "#|wildcard", communication='device_id: a\ncommunication:\n  mqtt_config:\n    host: 127.0.0.1\n    topics:\n'
                 '      electrical: {measurements: "site/#"}\n')

    def test_a_placeholder_that_does_not_exist(self):
        self.one("topic", 6, "client_id", communication='device_id: a\ncommunication:\n  mqtt_config:\n    host: 127.0.0.1\n    topics:\n'
                 '      electrical: {measurements: "site/{clientid}"}\n')

    def test_two_connections_with_one_unit_at_the_gateway(self):
        client = "      - {id: x, unit_id: 1, expose_via_tcp: true, registers: {p: {address: 0, data_type: int16}}}\n"
        second = self.CONNECTION.replace("connections:\n", "").replace("id: a", "id: b")
        found = [m for m in self.mistakes(slave_config=self.CONNECTION + client + second + client,
                                          communication="device_id: a\ncommunication:\n  modbus_tcp_gateway: {enabled: true, port: 4196}\n")
                 if m["severity"] == "error"]
        self.assertTrue([m for m in found if "unit" in json.dumps(m)], found)

    def test_two_connections_on_one_port(self):
        line = "  - id: %s\n    connection_type: serial\n    port: /dev/ttyS0\n    clients: []\n"
        self.one("port", 8, "ttyS0", slave_config="connections:\n" + line % "a" + line % "b")

    def test_text_that_is_no_yaml(self):
        found = [m for m in self.mistakes(slave_config="connections: [\n  - id: a\n") if m["severity"] == "error"]
        self.assertTrue(found)
        self.assertEqual(found[0]["file"], "slave_config.yaml")

    def test_a_secret_is_never_shown(self):
        (self.folder / "secrets.yaml").write_text("broker: TOPSECRET\n")
        (self.folder / "secrets.yaml").chmod(0o600)
        done = self.check(communication="device_id: a\ncommunication:\n  mqtt_config:\n    host: h\n    password: !secret broker\n    kepalive: 60\n")
        self.assertEqual(done.status, 78, done)
        self.assertNotIn("TOPSECRET", done.out + done.err)
        plain = self.check(communication="device_id: a\ncommunication:\n  mqtt_config:\n    host: h\n    password: [PLAINSECRET]\n")
        self.assertNotIn("PLAINSECRET", plain.out + plain.err)

    def test_a_secret_that_is_not_there(self):
        self.one("secret", 5, "broker", communication="device_id: a\ncommunication:\n  mqtt_config:\n    host: h\n    password: !secret broker\n")


class Hints(CheckTest):
    def mistakes(self, **files):
        texts = {name: yaml.safe_dump(content, sort_keys=False) for name, content in files.items()}
        return [m for m in super().mistakes(**texts) if m["severity"] == "error"]

    def slaves(self, *clients):
        return c.slaves(c.tcp(1502, *clients))

    def test_a_wrong_model_gets_the_nearest_ones(self):
        client = c.client("a", 1, {})
        client.pop("registers")
        mistake, = self.mistakes(slave_config=self.slaves({**client, "meter_model": "PM5350"}))
        self.assertEqual(mistake["suggestion"], "schneider_pm53xx")
        self.assertIn("schneider_pm53xx", mistake["expected"])

    def test_a_wrong_unit_is_one_mistake(self):
        mistake, = self.mistakes(slave_config=self.slaves(c.client("a", 300, expose_via_tcp=True), c.client("b", 1, expose_via_tcp=True)))
        self.assertIn("unit_id", mistake["path"])
        self.assertIn("300", mistake["found"])
        self.assertIn("0 to 255", mistake["expected"])

    def test_a_key_in_a_wrong_place_is_told_where_it_belongs(self):
        mistake, = self.mistakes(communication={"device_id": "x", "modbus_tcp_gateway": {"enabled": True}})
        self.assertEqual((mistake["line"], mistake["path"], mistake["suggestion"]),
                         (2, "modbus_tcp_gateway", "communication.modbus_tcp_gateway"))


class Directories(CheckTest):
    def test_a_named_one_that_is_missing_is_exit_78(self):
        done = lightship("check", "--config", self.folder / "nowhere")
        self.assertEqual(done.status, 78, done)
        self.assertIn("nowhere", done.out + done.err)

    def test_an_empty_one_is_fine(self):
        self.assertEqual(self.check().status, 0)
