"""Meters by name: a new one in meter_registry.yaml is taken at a reload, a wrong one is told and changes nothing."""
import json

from support import Lightship, Mosquitto, Subscriber, TestCase, configuration as c, lightship, modbus

ACME = {"id": "acme_m4", "manufacturer": "Acme", "model": "M4", "protocol": "modbus_rtu", "default_baud_rate": 9600,
        "supported_profiles": ["basic_power", "full_power"],
        "registers": {"voltage_l1": {"address": 0, "count": 2, "data_type": "float32", "byte_order": "little_swap", "unit": "V"},
                      "frequency": {"address": 2, "count": 1, "data_type": "uint16", "scale": 0.01, "unit": "Hz"},
                      "serial_number": {"address": 3, "count": 1, "data_type": "uint16"}},
        "tests": [{"request": "01 03 00 00 00 03 05 CB", "answer": "01 03 06 40 00 43 66 13 86 56 BC",
                   "values": {"voltage_l1": "230.25", "frequency": "49.98"}}]}
REGISTERS = [0x4000, 0x4366, 4998, 17]


def answer(unit, pdu):
    at, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
    if at + count > len(REGISTERS):
        return 2
    return bytes([pdu[0], 2 * count]) + b"".join(r.to_bytes(2, "big") for r in REGISTERS[at:at + count])


def meter(model, **more):
    return {"id": "meter", "type": "electrical", "unit_id": 1, "poll_interval": 0.2, "mqtt_enabled": True, "mqtt_interval": 0.2,
            "meter_model": model, **more}


class NewMeters(TestCase):
    def setUp(self):
        super().setUp()
        self.broker = self.start(Mosquitto())
        self.ear = self.start(Subscriber(self.broker.port))
        self.old, self.new = self.start(modbus.ScriptedDevice()), self.start(modbus.ScriptedDevice(answer))
        self.ship = self.start(Lightship(slave_config=c.slaves(c.tcp(self.old.port, name="old")),
                                         communication=c.communication(c.mqtt(self.broker.port))))
        self.await_message("old")

    def await_message(self, name, after=0):
        return self.ear.wait_for(lambda m: m.topic == f"site/{name}/meter", 15, f"a message of {name}", after)

    def with_new_meter(self, registry):
        self.ship.write(meter_registry=registry,
                        slave_config=c.slaves(c.tcp(self.old.port, name="old"),
                                              c.tcp(self.new.port, meter("acme_m4", profile="basic_power"), name="new")))
        self.ship.reload()

    def test_are_taken_at_a_reload(self):
        self.with_new_meter({"meters": [ACME]})
        message = self.await_message("new").json
        self.assertEqual(message["measurements"], {"voltage_l1": 230.25, "frequency": 49.98, "online": True})
        self.assertEqual(message["units"], {"voltage_l1": "V", "frequency": "Hz"})
        self.assertEqual(self.old.connections, 1, "the other line goes on")

    def test_with_a_wrong_test_are_told_and_change_nothing(self):
        wrong = json.loads(json.dumps(ACME))
        wrong["tests"][0]["values"]["voltage_l1"] = "230.5"
        self.with_new_meter({"meters": [wrong]})
        self.ship.wait_for_log_text("meter_registry.yaml", "voltage_l1 came out as 230.25, expected 230.5")
        self.await_message("old", self.ear.count())
        self.assertEqual(self.new.connections, 0)


class Check(TestCase):
    def check(self, model, profile="basic_power"):
        (self.folder / "slave_config.yaml").write_text(json.dumps(c.slaves(c.tcp(502, meter(model, profile=profile)))))
        return lightship("check", "--config", self.folder, "--json").json

    def test_takes_every_meter_of_the_list(self):
        listed = {i for line in (modbus.ROOT / "tests/vectors/meters.csv").read_text().splitlines()[1:] for i in line.split(",")[0].split()}
        self.assertGreater(len(listed), 60)
        (self.folder / "slave_config.yaml").write_text(json.dumps(c.slaves(*[
            c.tcp(502, meter(model, profile="full_power"), name=f"line-{n}") for n, model in enumerate(sorted(listed))])))
        found = lightship("check", "--config", self.folder, "--json").json
        self.assertEqual([m for m in found["mistakes"] if m["severity"] == "error"], [])
        self.assertTrue(all(line["requests"] > 0 for line in found["plan"]))

    def test_of_an_unknown_model_names_the_closest(self):
        mistake, = (m for m in self.check("sdm63O")["mistakes"] if m["severity"] == "error")
        self.assertEqual((mistake["severity"], mistake["found"], mistake["suggestion"]), ("error", "sdm63O", "eastron_sdm630"))
        self.assertIn("eastron_sdm630", mistake["expected"])


def sunspec(base, *models):
    """Registers of a device with these models: (id, length, {offset: register})."""
    registers, at = {base: 0x5375, base + 1: 0x6E53}, base + 2
    for number, length, content in models:
        registers |= {at + i: 0x8000 for i in range(length + 2)} | {at: number, at + 1: length}
        registers |= {at + offset: value for offset, value in content.items()}
        at += length + 2
    return registers | {at: 0xFFFF, at + 1: 0}


def serving(registers):
    def answer(unit, pdu):
        at, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if pdu[0] != 3 or any(i not in registers for i in range(at, at + count)):
            return 2
        return bytes([3, 2 * count]) + b"".join(registers[i].to_bytes(2, "big") for i in range(at, at + count))
    return answer


class Sunspec(TestCase):
    METER = {2: 421, 6: 0xFFFF, 16: 4998, 17: 0xFFFE, 18: 0xFC18, 22: 1, 46: 1, 47: 0x86A0, 54: 0}

    def read(self, registers, model, *more):
        device = self.start(modbus.ScriptedDevice(serving(registers)))
        (self.folder / "slave_config.yaml").write_text(json.dumps(c.slaves(c.tcp(device.port, {"id": "meter", "unit_id": 1, "meter_model": model}))))
        return lightship("read", "--config", self.folder, "--device", "meter", "--json", *more)

    def test_is_read_wherever_its_models_stand(self):
        for base in (40000, 50000, 0):
            with self.subTest(base):
                registers = sunspec(base, (1, 66, {}), (120, 26, {}), (203, 105, self.METER))
                points = self.read(registers, "sunspec_203").json["points"]
                self.assertEqual({k: points[k]["value"] for k in ("current_total", "frequency", "active_power_total", "energy_import")},
                                 {"current_total": 42.1, "frequency": 49.98, "active_power_total": -10000, "energy_import": 100000})
                self.assertEqual(points["voltage_l1"]["reason"], "not_available")

    def test_as_such_takes_the_model_that_the_device_has(self):
        registers = sunspec(40000, (1, 66, {2 + i: w for i, w in enumerate((0x4163, 0x6D65, 0))}), (203, 105, self.METER))
        points = self.read(registers, "sunspec").json["points"]
        self.assertEqual(points["manufacturer"]["value"], "Acme")
        self.assertEqual(points["frequency"]["value"], 49.98)
        self.assertEqual(points["dc_voltage"]["reason"], "not_available")
        done = self.read(registers, "sunspec", "--point", "frequency")
        self.assertEqual(done.json["points"]["frequency"]["value"], 49.98)

    def test_of_another_kind_says_which_models_there_are(self):
        done = self.read(sunspec(40000, (1, 66, {}), (203, 105, self.METER)), "sunspec_103")
        self.assertEqual(done.status, 69, done)
        self.assertIn("the device has the SunSpec models 1, 203, expected one of 101, 102, 103", done.out)

    def test_that_is_none_is_told_as_such(self):
        done = self.read({i: 7 for i in range(40000, 40100)}, "sunspec_103")
        self.assertEqual(done.status, 69, done)
        self.assertIn("no SunSpec device", done.out)
