"""The software we test against, tested against itself: when this fails, no other result means anything."""
import os
import ssl

from support import Authority, Mosquitto, PacedLine, Subscriber, TcpRelay, TestCase, eventually, lines, missing_peer, modbus
from support.subscriber import paho

READS = [(1, 0, 40), (2, 3, 9), (3, 0, 125), (4, 100, 20), (3, 299, 1)]


class EveryServerHasTheDataMap(TestCase):
    def check(self, port, client=modbus.libmodbus_client, kind="tcp"):
        for function, at, count in READS:
            with self.subTest(function=function, at=at):
                answer, = client(kind, "127.0.0.1", port, fn=function, at=at, count=count)
                self.assertEqual(answer.get("values"), modbus.mapped(function, at, count), answer)
        answer, = client(kind, "127.0.0.1", port, fn=3, at=299, count=2)
        self.assertEqual(answer.get("exception"), 2, answer)

    def test_libmodbus_over_tcp(self):
        self.check(self.start(modbus.libmodbus_tcp()).port)

    def test_libmodbus_over_tcp_with_its_own_receive(self):
        self.check(self.start(modbus.libmodbus_tcp(receive="library")).port)

    def test_pymodbus_over_tcp(self):
        self.check(self.start(modbus.pymodbus_server()).port)

    def test_modbus_serial_over_tcp(self):
        self.check(self.start(modbus.modbus_serial_tcp()).port)

    def test_pymodbus_over_udp(self):
        self.check(self.start(modbus.pymodbus_server("udp")).port, modbus.pymodbus_client, "udp")

    def test_pymodbus_with_rtu_frames_over_tcp(self):
        self.check(self.start(modbus.pymodbus_server("rtu_over_tcp")).port, modbus.pymodbus_client, "rtu_over_tcp")

    def test_the_scripted_device(self):
        self.check(self.start(modbus.ScriptedDevice()).port)


class EveryClientReads(TestCase):
    def test_the_clients_of_the_npm_world(self):
        port = self.start(modbus.libmodbus_tcp()).port
        for kind in ("serial_tcp", "serial_mbap", "jsmodbus"):
            for function, at, count in READS:
                if kind == "serial_mbap" and count > 120:
                    continue                            # its buffer ends at 256 bytes, MBAP header included
                with self.subTest(kind=kind, function=function):
                    answer, = modbus.node_client(kind, "127.0.0.1", port, fn=function, at=at, count=count)
                    self.assertEqual(answer.get("values"), modbus.mapped(function, at, count), answer)
            with self.subTest(kind=kind, function="beyond the end"):
                answer, = modbus.node_client(kind, "127.0.0.1", port, fn=3, at=299, count=2)
                self.assertEqual(answer.get("exception"), 2, answer)

    def test_modbus_serial_over_telnet_is_rtu_over_tcp(self):
        port = self.start(modbus.pymodbus_server("rtu_over_tcp")).port
        answer, = modbus.node_client("serial_telnet", "127.0.0.1", port, fn=3, at=4, count=3)
        self.assertEqual(answer.get("values"), modbus.mapped(3, 4, 3), answer)

    def test_mbpoll(self):
        port = self.start(modbus.libmodbus_tcp()).port
        status, values, said = modbus.mbpoll("-m", "tcp", "-p", port, "-a", 1, "-r", 1, "-c", 10, "-t", "4", "127.0.0.1")
        self.assertEqual(status, 0, said)
        self.assertEqual([int(values[i].split()[0]) for i in range(1, 11)], modbus.mapped(3, 0, 10))


class TheCommandsOfTheServers(TestCase):
    def check(self, server):
        port = server.port
        server.set("holding", 20, 1, 65535, 3)
        self.assertEqual(modbus.RawTcp(port).registers(1, 3, 19, 5), [modbus.holding(19), 1, 65535, 3, modbus.holding(23)])
        server.set("coil", 0, 1, 1, 0)
        self.assertEqual(modbus.RawTcp(port).registers(1, 1, 0, 3), [1, 1, 0])
        before = server.requests()
        client = modbus.RawTcp(port, timeout=0.3)
        server.exception(6)
        self.assertEqual(client.registers(1, 3, 0, 2), {"exception": 6})
        server.exception(0)
        server.silent()
        with self.assertRaises(TimeoutError):
            client.registers(1, 3, 0, 2)
        server.silent(False)
        self.assertEqual(modbus.RawTcp(port).registers(1, 3, 0, 2), modbus.mapped(3, 0, 2))
        self.assertEqual(server.requests() - before, 3)

    def test_libmodbus(self):
        self.check(self.start(modbus.libmodbus_tcp()))

    def test_pymodbus(self):
        self.check(self.start(modbus.pymodbus_server()))

    def test_modbus_serial(self):
        self.check(self.start(modbus.modbus_serial_tcp()))


class LibmodbusServerUnderLoad(TestCase):
    def test_serves_two_thousand_connections(self):
        port = self.start(modbus.libmodbus_tcp()).port
        clients = [modbus.RawTcp(port) for _ in range(2000)]
        for i, client in enumerate(clients):
            client.send(1, modbus.read_pdu(3, i % 290, 10))
        for i, client in enumerate(clients):
            self.assertEqual(client.receive()[2][2:4], modbus.holding(i % 290).to_bytes(2, "big"))
            client.close()

    def test_answers_many_requests_of_one_segment_in_their_order(self):
        client = modbus.RawTcp(self.start(modbus.libmodbus_tcp()).port)
        client.socket.sendall(b"".join(modbus.mbap(i, 1, modbus.read_pdu(3, i % 300, 1)) for i in range(3000)))
        for i in range(3000):
            self.assertEqual(client.receive(), (i, 1, bytes([3, 2]) + modbus.holding(i % 300).to_bytes(2, "big")))


class TheLine(TestCase):
    def read(self, line, client=modbus.libmodbus_client, **options):
        return client("rtu", line.master_path, 9600, at=0, count=10, **options)

    def line_with_libmodbus(self, **how):
        line = self.start(PacedLine(**how))
        self.start(modbus.libmodbus_rtu(line.device_paths[0]))
        return line

    def test_carries_rtu_between_libmodbus_and_libmodbus(self):
        answer, = self.read(self.line_with_libmodbus())
        self.assertEqual(answer.get("values"), modbus.mapped(3, 0, 10), answer)

    def test_carries_rtu_between_pymodbus_and_pymodbus(self):
        line = self.start(PacedLine())
        self.start(modbus.pymodbus_server("rtu", tty=line.device_paths[0], unit=1))
        answer, = self.read(line, modbus.pymodbus_client)
        self.assertEqual(answer.get("values"), modbus.mapped(3, 0, 10), answer)

    def test_carries_ascii(self):
        line = self.start(PacedLine(ascii=True))
        self.start(modbus.pymodbus_server("ascii", tty=line.device_paths[0], unit=1))
        answer, = modbus.pymodbus_client("ascii", line.master_path, 9600, at=0, count=10)
        self.assertEqual(answer.get("values"), modbus.mapped(3, 0, 10), answer)

    def test_takes_the_time_of_a_wire(self):
        line = self.line_with_libmodbus(baud=9600)
        self.read(line)
        answers = self.read(line, repeat=5)
        for answer in answers:                          # 8 + 25 characters of 10 bits: 34.4 ms, and what the relay adds
            self.assertGreater(answer["us"], 34000, answer)
            self.assertLess(min(a["us"] for a in answers), 60000, answers)

    def test_damages_answers_as_it_is_told(self):
        line = self.line_with_libmodbus()
        line.next_answers(lines.corrupted(), lines.delayed(0.2), lines.torn(4, 0.1), lines.swallowed(), None)
        answers = self.read(line, repeat=5, timeout_ms=500)
        self.assertEqual([a["ok"] for a in answers], [False, True, True, False, True], answers)
        self.assertGreater(answers[1]["us"], 200000)
        self.assertGreater(answers[2]["us"], 100000)
        self.assertEqual(line.faults_left(), 0)
        self.assertEqual(len(line.requests), 5)

    def test_echoes(self):
        line = self.line_with_libmodbus(echo=True)
        answer, = self.read(line)
        self.assertFalse(answer["ok"], answer)          # libmodbus takes its own request for the answer

    def test_two_devices_on_one_wire(self):
        line = self.start(PacedLine(devices=2))
        for unit, path in enumerate(line.device_paths, 1):
            self.start(modbus.pymodbus_server("rtu", tty=path, unit=unit)).set("holding", 0, unit)
        for unit in (1, 2, 1):
            answer, = modbus.libmodbus_client("rtu", line.master_path, 9600, unit=unit, at=0, count=1)
            self.assertEqual(answer.get("values"), [unit], answer)

    def test_comes_back_under_another_name(self):
        link = self.folder / "usb-adapter"
        line = self.line_with_libmodbus(by_id=link)
        before = link.resolve()
        self.assertTrue(self.read(line)[0]["ok"])
        held = os.open(before, os.O_RDWR | os.O_NOCTTY)  # a program that still has the old one open
        self.addCleanup(os.close, held)
        line.unplug()
        self.assertFalse(link.exists())
        line.plug()
        self.assertNotEqual(link.resolve(), before)
        self.assertTrue(self.read(line)[0]["ok"])


class TheBroker(TestCase):
    def setUp(self):
        super().setUp()
        if paho is None:
            missing_peer("python3-paho-mqtt is not installed")

    def test_keeps_a_session_over_a_restart(self):
        broker = self.start(Mosquitto())
        relay = self.start(TcpRelay(broker.port))
        subscriber = self.start(Subscriber(relay.port))
        publisher = self.start(Subscriber(broker.port, topics=("nothing",)))
        publisher.publish("a", "1")
        subscriber.wait_for(lambda m: m.payload == b"1")
        relay.refuse()
        publisher.publish("a", "2")
        broker.shut_down()
        broker.start()
        relay.accept()
        subscriber.wait_for(lambda m: m.payload == b"2")
        # At least once: what the cut left unacknowledged comes twice.
        self.assertEqual(list(dict.fromkeys(m.payload for m in subscriber.snapshot("a"))), [b"1", b"2"])

    def test_every_listener_lets_a_client_in(self):
        authority = Authority(self.folder / "ca")
        certificate, key = authority.issue("client", "clientAuth")
        for certificates in (False, True):
            broker = self.start(Mosquitto(("tcp", "tls", "ws", "wss"), authority, client_certificates=certificates))
            for kind in ("tcp", "tls", "ws", "wss"):
                with self.subTest(kind=kind, client_certificates=certificates):
                    client = paho.Client(transport="websockets" if kind in ("ws", "wss") else "tcp")
                    if kind in ("tls", "wss"):
                        client.tls_set(str(authority.ca), *map(str, (certificate, key) if certificates else ()))
                    client.connect("127.0.0.1", broker.ports[kind])
                    client.loop_start()
                    eventually(client.is_connected, 5, "connected")
                    client.disconnect()
                    client.loop_stop()

    def test_refuses_who_has_no_certificate_or_the_wrong_password(self):
        authority = Authority(self.folder / "ca")
        broker = self.start(Mosquitto(("tls",), authority, client_certificates=True))
        client = paho.Client()
        client.tls_set(str(authority.ca))
        with self.assertRaises((ssl.SSLError, OSError, AssertionError)):
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            eventually(client.is_connected, 0.5, "connected")
        client.loop_stop()

        broker = self.start(Mosquitto(users={"a": "right" * 95}))
        refused = paho.Client()
        answers = []
        refused.on_connect = lambda _c, _u, _f, code: answers.append(code)
        refused.username_pw_set("a", "wrong")
        refused.connect("127.0.0.1", broker.port)
        refused.loop_start()
        self.assertEqual(eventually(lambda: answers, 5, "an answer")[0], 5)
        refused.loop_stop()
        self.start(Subscriber(broker.port, user="a", password="right" * 95))


class TheRelay(TestCase):
    def test_swallows_answers_cuts_and_refuses(self):
        device = self.start(modbus.libmodbus_tcp())
        relay = self.start(TcpRelay(device.port))
        client = modbus.RawTcp(relay.port, timeout=0.5)
        self.assertEqual(client.registers(1, 3, 0, 2), modbus.mapped(3, 0, 2))
        relay.mute_answers = True
        with self.assertRaises(TimeoutError):
            client.registers(1, 3, 0, 2)
        self.assertEqual(device.requests(), 2)
        relay.mute_answers = False
        relay.cut()
        with self.assertRaises((AssertionError, OSError)):
            client.registers(1, 3, 0, 2)
        self.assertEqual(modbus.RawTcp(relay.port).registers(1, 3, 0, 2), modbus.mapped(3, 0, 2))
        relay.refuse()
        with self.assertRaises(ConnectionRefusedError):
            modbus.RawTcp(relay.port)
        relay.accept()
        self.assertEqual(modbus.RawTcp(relay.port).registers(1, 3, 0, 2), modbus.mapped(3, 0, 2))
