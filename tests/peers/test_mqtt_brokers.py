"""Brokers as they are in the field: encrypted, behind WebSockets, with passwords, away for a while, replaced."""
import json
import socket
import time

from support import (Authority, Lightship, Mosquitto, Subscriber, TcpRelay, TestCase, configuration as c, eventually, free_port,
                     modbus)

TOPIC = "site/main/meter"


def sequences(messages):
    return [m.json["sequence"] for m in messages if m.topic == TOPIC]


def in_order_of_arrival(numbers):
    """Each number once, as it came first."""
    return list(dict.fromkeys(numbers))


class BrokerTest(TestCase):
    def setUp(self):
        super().setUp()
        self.device = self.start(modbus.libmodbus_tcp())

    def ship(self, mqtt, files=(), wait_ready=True, **client):
        ship = Lightship(slave_config=c.slaves(c.tcp(self.device.port, c.client(**client))), communication=c.communication(mqtt),
                         wait_ready=wait_ready)
        for path in files:
            (ship.config / path.name).write_bytes(path.read_bytes())
            (ship.config / path.name).chmod(0o600)
        return self.start(ship)

    def expect(self, ear, count=3, within=15):
        self.assertEqual(sequences(ear.wait_for_count(TOPIC, count, within)), list(range(1, count + 1)))


class EveryWayIn(BrokerTest):
    def authority(self):
        return Authority(self.folder / "ca")

    def check(self, kind, version="3.1.1", client_certificate=False, **more):
        authority = self.authority() if kind in ("tls", "wss") else None
        broker = self.start(Mosquitto(("tcp", kind) if kind != "tcp" else ("tcp",), authority))
        ear = self.start(Subscriber(broker.ports["tcp"]))
        self.ship(c.mqtt(broker.ports[kind], protocol_version=version, **more), files=[authority.ca] if authority else [])
        self.expect(ear)
        return broker

    def test_tcp_with_protocol_3_1_1(self):
        broker = self.check("tcp")
        broker.wait_for_line(r"New client connected .* as lightship-testsite \(p2")

    def test_tcp_with_protocol_5(self):
        broker = self.check("tcp", "5")
        broker.wait_for_line(r"New client connected .* as lightship-testsite \(p5")

    def test_tls(self):
        self.check("tls", use_tls=True, ca_file="ca.pem")

    def test_tls_with_protocol_5(self):
        self.check("tls", "5", use_tls=True, ca_file="ca.pem")

    def test_websockets(self):
        self.check("ws", transport="websockets", path="/mqtt")

    def test_websockets_over_tls(self):
        self.check("wss", "5", transport="websockets", path="/mqtt", use_tls=True, ca_file="ca.pem")

    def test_tls_with_a_client_certificate(self):
        authority = self.authority()
        certificate, key = authority.issue("client", "clientAuth")
        broker = self.start(Mosquitto(("tls",), authority, client_certificates=True))
        self.ship(c.mqtt(broker.port, use_tls=True, ca_file="ca.pem", cert_file="client.pem", key_file="client.key"),
                  files=[authority.ca, certificate, key])
        broker.wait_for_line(r"Received PUBLISH from lightship-testsite .*site/main/meter", 15)

    def test_a_certificate_of_a_stranger_is_refused_and_said(self):
        broker = self.start(Mosquitto(("tls",), self.authority()))
        stranger = Authority(self.folder / "stranger", "a stranger")
        ship = self.ship(c.mqtt(broker.port, use_tls=True, ca_file="ca.pem"), files=[stranger.ca])
        ship.wait_for_log(lambda r: r["level"] in ("warn", "error") and "certificate" in json.dumps(r).lower(), 15,
                          "a warning about the certificate")
        self.assertNotIn("PUBLISH", broker.text())

    def test_a_certificate_for_another_name_is_refused_unless_told_otherwise(self):
        authority = self.authority()
        issue = authority.issue
        authority.issue = lambda name, usage="serverAuth": issue(name, usage, "DNS:another.example")
        broker = self.start(Mosquitto(("tls", "tcp"), authority))
        ear = self.start(Subscriber(broker.ports["tcp"]))
        ship = self.ship(c.mqtt(broker.port, use_tls=True, ca_file="ca.pem"), files=[authority.ca])
        ship.wait_for_log(lambda r: r["level"] in ("warn", "error") and "mqtt" in json.dumps(r).lower(), 15, "a warning")
        self.assertEqual(ear.snapshot(TOPIC), [])
        ship.write(communication=c.communication(c.mqtt(broker.port, use_tls=True, tls_verify=False)))
        ship.reload()
        ear.wait_for(lambda m: m.topic == TOPIC, 20)


class Passwords(BrokerTest):
    def test_the_right_one_lets_in(self):
        broker = self.start(Mosquitto(users={"site": "right", "ear": "ear"}))
        ear = self.start(Subscriber(broker.port, user="ear", password="ear"))
        self.ship(c.mqtt(broker.port, username="site", password="right"))
        self.expect(ear)

    def test_one_of_475_characters(self):
        long = "p" * 475
        broker = self.start(Mosquitto(users={"site": long, "ear": "ear"}))
        ear = self.start(Subscriber(broker.port, user="ear", password="ear"))
        self.ship(c.mqtt(broker.port, username="site", password=long))
        self.expect(ear)

    def test_one_from_the_secrets_file(self):
        broker = self.start(Mosquitto(users={"site": "right", "ear": "ear"}))
        ear = self.start(Subscriber(broker.port, user="ear", password="ear"))
        ship = Lightship(slave_config=c.slaves(c.tcp(self.device.port)),
                         communication=c.communication(c.mqtt(broker.port, username="site", password="THE-PASSWORD")))
        path = ship.config / "communication.yaml"
        path.write_text(path.read_text().replace("THE-PASSWORD", "!secret broker"))
        (ship.config / "secrets.yaml").write_text("broker: right\n")
        (ship.config / "secrets.yaml").chmod(0o600)
        self.start(ship)
        self.expect(ear)
        self.assertNotIn("right", ship.text())

    def test_a_wrong_one_is_said_survived_and_put_right_by_a_reload(self):
        broker = self.start(Mosquitto(users={"site": "right", "ear": "ear"}))
        ear = self.start(Subscriber(broker.port, user="ear", password="ear"))
        ship = self.ship(c.mqtt(broker.port, username="site", password="wrong-one"))
        refusal = ship.wait_for_log(lambda r: r["level"] in ("warn", "error") and "mqtt" in json.dumps(r).lower(), 15,
                                    "a warning about the refusal")
        self.assertRegex(json.dumps(refusal).lower(), r"author|password|credential|refused")
        self.assertTrue(ship.running())
        self.assertEqual(ear.snapshot(TOPIC), [])
        ship.write(communication=c.communication(c.mqtt(broker.port, username="site", password="right")))
        ship.reload()
        ear.wait_for_count(TOPIC, 5, 20)
        numbers = sequences(ear.snapshot())
        self.assertEqual(in_order_of_arrival(numbers), list(range(1, max(numbers) + 1)), "what waited was lost")
        self.assertNotIn("wrong-one", ship.text())


class Outages(BrokerTest):
    def check_nothing_is_missing(self, *ears):
        numbers = [n for ear in ears for n in sequences(ear.snapshot())]
        self.assertEqual(sorted(set(numbers)), list(range(1, max(numbers) + 1)))
        for ear in ears:
            own = in_order_of_arrival(sequences(ear.snapshot()))
            self.assertEqual(own, sorted(own), "oldest first")
        return numbers

    def wait_beyond(self, ear, number, within=30):
        ear.wait_for(lambda m: m.topic == TOPIC and m.json["sequence"] > number, within, f"sequence above {number}")

    def test_a_restart_of_the_broker_loses_nothing(self):
        broker = self.start(Mosquitto())
        ear = self.start(Subscriber(broker.port))
        self.ship(c.mqtt(broker.port), poll_interval=0.1, mqtt_interval=0.1)
        for _ in range(3):
            self.wait_beyond(ear, max(sequences(ear.snapshot()), default=0) + 5)
            broker.shut_down()
            asked = self.device.requests()
            eventually(lambda: self.device.requests() >= asked + 5, 10, "five polls without a broker")
            broker.start()
        self.wait_beyond(ear, max(sequences(ear.snapshot())) + 5)
        self.check_nothing_is_missing(ear)
        late = [m for m in ear.snapshot(TOPIC) if m.json.get("historical") is True]
        self.assertTrue(late, "what was sent late must say so")
        self.assertTrue(all("historical" not in m.json or m.json["historical"] is True for m in ear.snapshot(TOPIC)))

    def test_a_cut_in_mid_flight_loses_nothing(self):
        broker = self.start(Mosquitto())
        relay = self.start(TcpRelay(broker.port))
        ear = self.start(Subscriber(broker.port))
        self.ship(c.mqtt(relay.port), poll_interval=0.1, mqtt_interval=0.1)
        for _ in range(4):
            self.wait_beyond(ear, max(sequences(ear.snapshot()), default=0) + 3)
            relay.mute_answers = True                    # published, but the acknowledgement never comes
            swallowed = relay.bytes_down
            eventually(lambda: relay.bytes_down > swallowed, 10, "a swallowed acknowledgement")
            relay.cut()
            relay.mute_answers = False
        self.wait_beyond(ear, max(sequences(ear.snapshot())) + 5)
        numbers = self.check_nothing_is_missing(ear)
        self.assertGreater(len(numbers), len(set(numbers)), "what was not acknowledged must come again")

    def test_a_broker_that_says_nothing_more_is_noticed(self):
        broker = self.start(Mosquitto())
        relay = self.start(TcpRelay(broker.port))
        ear = self.start(Subscriber(broker.port))
        self.ship(c.mqtt(relay.port))
        self.wait_beyond(ear, 3)
        relay.hold = True
        before = relay.accepted
        # Keep-alive is 5 s here: after one and a half of them the connection is given up and made anew.
        eventually(lambda: relay.accepted > before, 20, "a new connection")
        relay.hold = False
        self.wait_beyond(ear, max(sequences(ear.snapshot())) + 5, 40)
        self.check_nothing_is_missing(ear)

    def test_a_broker_that_comes_late_gets_everything(self):
        port = free_port()
        ship = self.ship(c.mqtt(port))
        asked = self.device.requests()
        eventually(lambda: self.device.requests() >= asked + 10, 10, "ten polls without a broker")
        # The subscriber's session must be there before the first message is.
        broker = Mosquitto(ports={"tcp": free_port()})
        self.start(broker)
        relay = TcpRelay(broker.port, port)
        ear = self.start(Subscriber(broker.port))
        self.start(relay)
        self.wait_beyond(ear, 10)
        self.check_nothing_is_missing(ear)
        self.assertTrue(ship.running())

    def test_goes_on_to_the_next_broker_of_the_list(self):
        first, second = self.start(Mosquitto()), self.start(Mosquitto())
        first_ear, second_ear = self.start(Subscriber(first.port)), self.start(Subscriber(second.port))
        self.ship(c.mqtt(first.port, brokers=[{"host": "127.0.0.1", "port": second.port}]))
        self.wait_beyond(first_ear, 5)
        self.assertEqual(second_ear.snapshot(TOPIC), [])
        first.shut_down()
        self.wait_beyond(second_ear, max(sequences(first_ear.snapshot())) + 5)
        self.check_nothing_is_missing(first_ear, second_ear)

    def test_the_first_broker_of_the_list_is_not_there(self):
        second = self.start(Mosquitto())
        ear = self.start(Subscriber(second.port))
        self.ship(c.mqtt(free_port(), brokers=[{"host": "127.0.0.1", "port": second.port}]))
        self.wait_beyond(ear, 5)
        self.check_nothing_is_missing(ear)

    def test_a_clean_stop_delivers_what_was_made(self):
        broker = self.start(Mosquitto())
        ear = self.start(Subscriber(broker.port))
        ship = self.ship(c.mqtt(broker.port), poll_interval=0.1, mqtt_interval=0.1)
        self.wait_beyond(ear, 5)
        began = time.monotonic()
        ship.terminate()
        self.assertLess(time.monotonic() - began, 2)
        broker.wait_for_line(r"Received DISCONNECT from lightship-testsite")
        self.check_nothing_is_missing(ear)


class SwitchedOff(BrokerTest):
    def test_a_sink_that_is_not_enabled_opens_no_connection(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        listener.settimeout(0)
        port = listener.getsockname()[1]
        ship = self.ship(c.mqtt(port, enabled=False, brokers=[{"host": "127.0.0.1", "port": port}]), poll_interval=0.1)
        asked = self.device.requests()
        eventually(lambda: self.device.requests() >= asked + 15, 10, "fifteen polls")
        with self.assertRaises(BlockingIOError):        # an attempt would wait in the backlog
            listener.accept()
        self.assertNotIn("mqtt", [r.get("source") for r in ship.log()])

        ship.write(communication=c.communication(c.mqtt(port)))
        ship.reload()
        listener.settimeout(10)
        listener.accept()[0].close()
