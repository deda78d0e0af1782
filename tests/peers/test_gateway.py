"""The Modbus TCP gateway, read by the clients of others."""
import socket
import struct
import threading
import time

from support import Lightship, TestCase, configuration as c, eventually, free_port, modbus

UNKNOWN_UNIT, NO_FUNCTION, NO_ADDRESS, BAD_COUNT, NOT_FRESH = 0x0A, 1, 2, 3, 0x0B


class GatewayTest(TestCase):
    """A libmodbus server is polled: unit 7, ten registers and bits of each kind from address 0."""

    device = None
    settings = {}

    def points(self):
        return {f"{name}{i}": {"address": i, "function": function, "data_type": "bool" if function <= 2 else "uint16"}
                for function, name in ((1, "coil"), (2, "input"), (3, "holding"), (4, "measured")) for i in range(10)}

    def connections(self):
        return [c.tcp(self.device.port, c.client("meter", 7, self.points(), expose_via_tcp=True, mqtt_enabled=False))]

    def setUp(self):
        super().setUp()
        self.device = self.device or self.start(modbus.libmodbus_tcp())
        self.port = free_port()
        self.ship = self.start(Lightship(slave_config=c.slaves(*self.connections()),
                                         communication=c.communication(None, c.gateway(self.port, **self.settings))))

    def dial(self, **more):
        client = modbus.RawTcp(self.port, **more)
        self.addCleanup(client.close)
        return client

    def filled(self, unit=7, function=3, at=0, count=10):
        """Waits until the cache has it."""
        client = self.dial()
        eventually(lambda: isinstance(client.registers(unit, function, at, count), list), 10, "the first poll is in the cache")
        return client


class EveryClient(GatewayTest):
    def setUp(self):
        super().setUp()
        for function in (1, 2, 3, 4):
            self.filled(function=function)

    def check(self, client, kind):
        for function in (1, 2, 3, 4):
            with self.subTest(kind=kind, function=function):
                answer, = client(kind, "127.0.0.1", self.port, unit=7, fn=function, at=0, count=10)
                self.assertEqual(answer.get("values"), modbus.mapped(function, 0, 10), answer)
                answer, = client(kind, "127.0.0.1", self.port, unit=7, fn=function, at=3, count=1)
                self.assertEqual(answer.get("values"), modbus.mapped(function, 3, 1), answer)
        with self.subTest(kind=kind, exception=2):
            answer, = client(kind, "127.0.0.1", self.port, unit=7, fn=3, at=5, count=10)
            self.assertEqual(answer.get("exception"), NO_ADDRESS, answer)
        with self.subTest(kind=kind, exception=10):
            answer, = client(kind, "127.0.0.1", self.port, unit=8, fn=3, at=0, count=1)
            self.assertEqual(answer.get("exception"), UNKNOWN_UNIT, answer)

    def test_libmodbus(self):
        self.check(modbus.libmodbus_client, "tcp")

    def test_pymodbus(self):
        self.check(modbus.pymodbus_client, "tcp")

    def test_modbus_serial(self):
        self.check(modbus.node_client, "serial_tcp")

    def test_modbus_serial_with_its_buffered_port(self):
        self.check(modbus.node_client, "serial_mbap")

    def test_jsmodbus(self):
        self.check(modbus.node_client, "jsmodbus")

    def test_mbpoll(self):
        for function, kind in ((1, "0"), (2, "1"), (3, "4"), (4, "3")):
            with self.subTest(function=function):
                status, values, said = modbus.mbpoll("-m", "tcp", "-p", self.port, "-a", 7, "-r", 1, "-c", 10, "-t", kind, "127.0.0.1")
                self.assertEqual(status, 0, said)
                self.assertEqual([int(values[i].split()[0]) for i in range(1, 11)], modbus.mapped(function, 0, 10), said)
        status, values, said = modbus.mbpoll("-m", "tcp", "-p", self.port, "-a", 9, "-r", 1, "-c", 1, "-t", "4", "127.0.0.1")
        self.assertIn("failed", said)


class Exceptions(GatewayTest):
    def setUp(self):
        super().setUp()
        self.client = self.filled()

    def ask(self, unit, pdu):
        answer = self.client.ask(unit, pdu)
        return answer[1] if answer[0] == pdu[0] | 0x80 else answer

    def test_unit_before_function_before_count_before_address(self):
        read = modbus.read_pdu
        for what, unit, pdu, exception in (
                ("an unknown unit", 8, read(3, 0, 1), UNKNOWN_UNIT),
                ("an unknown unit with a bad function", 8, bytes([0x55]), UNKNOWN_UNIT),
                ("an unknown unit with a bad count", 8, read(3, 0, 0), UNKNOWN_UNIT),
                ("unit 0", 0, read(3, 0, 1), UNKNOWN_UNIT),
                ("unit 255", 255, read(3, 0, 1), UNKNOWN_UNIT),
                ("an unknown function", 7, bytes([0x55]), NO_FUNCTION),
                ("function 7", 7, bytes([7]), NO_FUNCTION),
                ("device identification", 7, bytes([43, 14, 1, 0]), NO_FUNCTION),
                ("no registers", 7, read(3, 0, 0), BAD_COUNT),
                ("126 registers", 7, read(3, 0, 126), BAD_COUNT),
                ("126 registers where nothing is polled", 7, read(3, 60000, 126), BAD_COUNT),
                ("no bits", 7, read(1, 0, 0), BAD_COUNT),
                ("2001 bits", 7, read(2, 0, 2001), BAD_COUNT),
                ("an address that is not polled", 7, read(3, 100, 1), NO_ADDRESS),
                ("one register too many", 7, read(3, 0, 11), NO_ADDRESS),
                ("the largest count, hardly polled", 7, read(3, 0, 125), NO_ADDRESS),
                ("beyond the last address", 7, read(3, 65535, 2), NO_ADDRESS),
                ("2000 bits, hardly polled", 7, read(1, 0, 2000), NO_ADDRESS)):
            with self.subTest(what):
                self.assertEqual(self.ask(unit, pdu), exception)

    def test_writes_are_refused_and_reach_nobody(self):
        before = [modbus.RawTcp(self.device.port).registers(1, f, 0, 10) for f in (1, 3)]
        for what, pdu in (("5", struct.pack(">BHH", 5, 0, 0xFF00)), ("6", struct.pack(">BHH", 6, 0, 99)),
                          ("15", struct.pack(">BHHBB", 15, 0, 3, 1, 7)), ("16", struct.pack(">BHHBH", 16, 0, 1, 2, 99)),
                          ("22", struct.pack(">BHHH", 22, 0, 0, 99)), ("23", struct.pack(">BHHHHBH", 23, 0, 1, 0, 1, 2, 99))):
            with self.subTest(function=what):
                self.assertEqual(self.ask(7, pdu), NO_FUNCTION)
        self.assertEqual([modbus.RawTcp(self.device.port).registers(1, f, 0, 10) for f in (1, 3)], before)

    def test_writes_of_others_clients_are_refused(self):
        for client, kind in ((modbus.libmodbus_client, "tcp"), (modbus.pymodbus_client, "tcp"), (modbus.node_client, "serial_tcp")):
            for function in (5, 6, 16):
                with self.subTest(client=client.__name__, function=function):
                    answer, = client(kind, "127.0.0.1", self.port, unit=7, fn=function, at=0, value=1)
                    self.assertEqual(answer.get("exception"), NO_FUNCTION, answer)

    def test_a_request_of_the_wrong_length_harms_nobody(self):
        for pdu in (bytes([3]), bytes([3, 0]), modbus.read_pdu(3, 0, 1) + b"\0", bytes([3, 0, 0, 0])):
            with self.subTest(pdu=pdu.hex()):
                client = self.dial()
                client.send(7, pdu)
                answer = client.receive()
                self.assertTrue(answer is None or answer[2][0] == 0x83, answer)
        self.assertEqual(self.client.registers(7, 3, 0, 1), modbus.mapped(3, 0, 1))

    def test_a_stream_without_framing_is_closed(self):
        for what, data in (("protocol 1", bytes.fromhex("000100010006070300000001")), ("length 0", bytes.fromhex("000100000000")),
                           ("length 1", bytes.fromhex("00010000000107")), ("length 255", bytes.fromhex("0001000000ff07") + bytes(254)),
                           ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")):
            with self.subTest(what):
                client = self.dial()
                client.socket.sendall(data)
                try:
                    self.assertIsNone(client.receive())
                except ConnectionResetError:
                    pass
        self.assertEqual(self.client.registers(7, 3, 0, 1), modbus.mapped(3, 0, 1))


class JoinedRequests(GatewayTest):
    """Points at 0 and 5 are read in one request; what lies between is served too."""

    def connections(self):
        points = {"a": {"address": 0, "data_type": "uint16"}, "b": {"address": 5, "data_type": "uint16"},
                  "far": {"address": 250, "data_type": "uint16"}, "alone": {"address": 5, "function": 4, "data_type": "uint16"}}
        return [c.tcp(self.device.port, c.client("meter", 7, points, expose_via_tcp=True, mqtt_enabled=False, limits={"max_gap": 8}))]

    def test_registers_of_a_gap_are_served(self):
        client = self.filled(count=6)
        self.assertEqual(client.registers(7, 3, 0, 6), modbus.mapped(3, 0, 6))
        self.assertEqual(client.registers(7, 3, 2, 3), modbus.mapped(3, 2, 3))
        self.assertEqual(client.registers(7, 3, 6, 1), {"exception": NO_ADDRESS})
        self.filled(at=250, count=1)
        self.assertEqual(client.registers(7, 3, 100, 1), {"exception": NO_ADDRESS})

    def test_functions_3_and_4_are_separate_spaces(self):
        client = self.filled(function=4, at=5, count=1)
        self.assertEqual(client.registers(7, 4, 5, 1), modbus.mapped(4, 5, 1))
        self.assertEqual(client.registers(7, 4, 0, 1), {"exception": NO_ADDRESS})
        self.assertEqual(client.registers(7, 1, 0, 1), {"exception": NO_ADDRESS})


class TheCacheAges(GatewayTest):
    settings = {"cache_ttl": 2}

    def test_old_values_are_an_exception_and_new_ones_come_back(self):
        client = self.filled()
        self.device.silent()
        began = time.monotonic()
        eventually(lambda: client.registers(7, 3, 0, 10) == {"exception": NOT_FRESH}, 10, "exception 0x0B")
        self.assertGreater(time.monotonic() - began, 1.2)
        self.assertEqual(client.registers(7, 3, 100, 1), {"exception": NO_ADDRESS})
        self.device.silent(False)
        eventually(lambda: client.registers(7, 3, 0, 10) == modbus.mapped(3, 0, 10), 40, "values again")


class NeverRead(GatewayTest):
    def setUp(self):
        self.device = modbus.ScriptedDevice(lambda unit, pdu: None)
        self.device.start()
        super().setUp()
        self.addCleanup(self.device.stop)

    def test_a_register_that_was_never_read_is_0x0b(self):
        client = self.dial()
        self.assertEqual(client.registers(7, 3, 0, 10), {"exception": NOT_FRESH})
        self.assertEqual(client.registers(7, 3, 0, 11), {"exception": NO_ADDRESS})
        self.assertEqual(client.registers(8, 3, 0, 10), {"exception": UNKNOWN_UNIT})


class UnitsOfTheGateway(GatewayTest):
    """Two connections with the same unit, one of them under another unit at the gateway, and a hidden device."""

    def connections(self):
        self.second = self.start(modbus.libmodbus_tcp())
        self.second.set("holding", 0, 4242)
        shown = {"expose_via_tcp": True, "mqtt_enabled": False}
        points = {"a": {"address": 0, "data_type": "uint16"}}
        return [c.tcp(self.device.port, c.client("one", 1, points, **shown), c.client("hidden", 3, points)),
                c.tcp(self.second.port, c.client("other", 1, points, gateway_unit_id=11, **shown), name="second")]

    def test_each_answers_under_its_own(self):
        client = self.filled(1, count=1)
        self.assertEqual(client.registers(1, 3, 0, 1), modbus.mapped(3, 0, 1))
        eventually(lambda: client.registers(11, 3, 0, 1) == [4242], 10, "unit 11")
        self.assertEqual(client.registers(3, 3, 0, 1), {"exception": UNKNOWN_UNIT})


class Manners(GatewayTest):
    def test_thousands_of_requests_in_one_go_are_answered_in_their_order(self):
        client = self.filled()
        count = 5000
        requests = b"".join(modbus.mbap(i, 7, modbus.read_pdu(3, i % 10, 1)) for i in range(count))
        sender = threading.Thread(target=client.socket.sendall, args=(requests,))
        sender.start()
        for i in range(count):
            self.assertEqual(client.receive(), (i, 7, bytes([3, 2]) + struct.pack(">H", modbus.holding(i % 10))))
        sender.join()

    def test_requests_that_come_byte_by_byte(self):
        client = self.filled()
        for byte in modbus.mbap(77, 7, modbus.read_pdu(3, 0, 2)):
            client.socket.sendall(bytes([byte]))
        self.assertEqual(client.receive()[0], 77)

    def test_a_client_that_does_not_read_blocks_nobody(self):
        client = self.filled()
        slow = self.dial()
        slow.socket.settimeout(0.5)
        request = modbus.mbap(1, 7, modbus.read_pdu(3, 0, 10)) * 1000
        try:
            for _ in range(2000):
                slow.socket.sendall(request)
        except (TimeoutError, OSError):
            pass                                        # nobody reads the answers, so nobody reads the requests
        worst = 0.0
        for _ in range(200):
            began = time.monotonic()
            self.assertEqual(client.registers(7, 3, 0, 10), modbus.mapped(3, 0, 10))
            worst = max(worst, time.monotonic() - began)
        self.assertLess(worst, 0.5)

    def test_hundreds_of_clients(self):
        self.filled()
        clients = [self.dial() for _ in range(500)]
        for client in clients:
            client.send(7, modbus.read_pdu(3, 0, 10))
        for client in clients:
            self.assertEqual(client.receive()[2][:2], bytes([3, 20]))

    def test_a_reader_costs_the_device_nothing(self):
        client = self.filled()
        before = self.device.requests()
        began = time.monotonic()
        for _ in range(2000):
            client.registers(7, 3, 0, 10)
        polls = 4 * ((time.monotonic() - began) / 0.2 + 2)       # four requests each 0.2 s, as without any reader
        self.assertLessEqual(self.device.requests() - before, polls)

    def test_sessions_end_with_the_program(self):
        client = self.filled()
        self.ship.terminate()
        try:
            self.assertIsNone(client.receive())
        except ConnectionResetError:
            pass


class TooMany(GatewayTest):
    settings = {"max_clients": 3}

    def test_clients_are_not_served(self):
        self.filled().close()
        first = [self.dial() for _ in range(3)]

        def all_three():
            try:
                return all(isinstance(client.registers(7, 3, 0, 1), list) for client in first)
            except (AssertionError, OSError):
                return False
        self.assertTrue(all_three())
        fourth = self.dial(timeout=1)
        with self.assertRaises((AssertionError, OSError)):
            fourth.registers(7, 3, 0, 1)
        self.assertTrue(all_three())
        first.pop().close()
        eventually(lambda: isinstance(self.once(), list), 5, "room again")

    def once(self):
        try:
            client = modbus.RawTcp(self.port, timeout=1)
            try:
                return client.registers(7, 3, 0, 1)
            finally:
                client.close()
        except (AssertionError, OSError):
            return None


class AllowFrom(GatewayTest):
    settings = {"allow_from": ["127.0.0.2/32"]}

    def filled(self, *_, **__):
        raise NotImplementedError

    def test_others_are_refused(self):
        friend = self.dial(source=("127.0.0.2", 0))
        eventually(lambda: friend.registers(7, 3, 0, 1) == modbus.mapped(3, 0, 1), 10, "the friend is served")
        with self.assertRaises((AssertionError, OSError)):
            self.dial(timeout=2).registers(7, 3, 0, 1)
        answer, = modbus.libmodbus_client("tcp", "127.0.0.1", self.port, unit=7)
        self.assertFalse(answer["ok"], answer)
        self.assertEqual(friend.registers(7, 3, 0, 1), modbus.mapped(3, 0, 1))


class PassThrough(GatewayTest):
    settings = {"pass_through": True}

    def setUp(self):
        self.device = modbus.ScriptedDevice(self.answer)
        self.device.start()
        self.slow = 0.0
        super().setUp()
        self.addCleanup(self.device.stop)

    def answer(self, unit, pdu):
        if pdu[1:3] == (200).to_bytes(2, "big"):
            time.sleep(self.slow)
        return modbus.serve_data_map(pdu)

    def test_what_is_not_polled_is_read_from_the_device(self):
        client = self.filled()
        self.assertEqual(client.registers(7, 3, 200, 20), modbus.mapped(3, 200, 20))
        self.assertEqual(client.registers(7, 4, 5, 40), modbus.mapped(4, 5, 40))
        self.assertEqual(client.registers(7, 1, 100, 9), modbus.mapped(1, 100, 9))

    def test_the_devices_own_exceptions_come_through(self):
        client = self.filled()
        self.assertEqual(client.registers(7, 3, 299, 2), {"exception": NO_ADDRESS})
        self.assertEqual(client.registers(8, 3, 200, 1), {"exception": UNKNOWN_UNIT})

    def test_what_is_polled_is_served_from_the_cache(self):
        client = self.filled()
        heard = len(self.device.heard)
        for _ in range(500):
            client.registers(7, 3, 2, 3)
        self.assertFalse([h for h in self.device.heard[heard:] if h[2] == modbus.read_pdu(3, 2, 3)])

    def test_equal_reads_of_many_clients_are_one_read(self):
        self.filled()
        self.slow = 0.3
        clients = [self.dial() for _ in range(50)]
        for client in clients:
            client.send(7, modbus.read_pdu(3, 200, 10))
        for client in clients:
            self.assertEqual(client.receive()[2][:2], bytes([3, 20]))
        self.assertEqual(len([h for h in self.device.heard if h[2] == modbus.read_pdu(3, 200, 10)]), 1)

    def test_writes_stay_refused(self):
        client = self.filled()
        self.assertEqual(client.ask(7, struct.pack(">BHH", 6, 0, 99)), bytes([0x86, NO_FUNCTION]))
        self.assertFalse([h for h in self.device.heard if h[2][0] == 6])


class Off(TestCase):
    def test_the_port_is_closed_when_it_is_not_enabled(self):
        port = free_port()
        self.start(Lightship(communication=c.communication(None, c.gateway(port, enabled=False))))
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
