"""`lightship demo`: the gateway on a simulated site, for who has neither meter nor broker."""
import re
import signal
import socket
import time

from support import Process, Subscriber, TestCase, eventually, modbus
from support.program import clean_environment, lightship_binary


class Demo(TestCase):
    def demo(self, seconds=None):
        argv = [lightship_binary(), "demo", "--data", self.folder / "data", "--portal-port", 0, "--gateway-port", 0, "--mqtt-port", 0]
        self.process = self.start(Process(argv + (["--seconds", seconds] if seconds else []), name="demo", env=clean_environment()))
        self.began = time.monotonic()
        self.port = {}
        for name, pattern in (("portal", r"^portal http://127\.0\.0\.1:(\d+)$"), ("gateway", r"^gateway 127\.0\.0\.1:(\d+)$"),
                              ("mqtt", r"^mqtt 127\.0\.0\.1:(\d+)$")):
            self.port[name] = int(self.process.wait_for_line(pattern).group(1))
        return self.process

    def test_prints_where_it_can_be_reached_first(self):
        self.demo()
        first = [text for _, stream, text in self.process.lines if stream == "out"][:3]
        self.assertEqual([line.split(" ")[0] for line in first], ["portal", "gateway", "mqtt"])

    def test_its_broker_has_messages_and_its_gateway_answers(self):
        self.demo()
        ear = self.start(Subscriber(self.port["mqtt"]))
        message = ear.wait_for(lambda m: b'"quality"' in m.payload and m.json["quality"] == "good", 15, "a measurement")
        self.assertGreater(len(message.json["measurements"]), 2)
        self.assertGreaterEqual(message.json["sequence"], 1)

        def units():
            found = []
            client = modbus.RawTcp(self.port["gateway"])
            try:
                for unit in range(1, 248):
                    if client.ask(unit, modbus.read_pdu(3, 65535, 1))[1] != 0x0A:
                        found.append(unit)
            finally:
                client.close()
            return found
        unit = eventually(units, 10, "a unit of the gateway")[0]
        client = modbus.RawTcp(self.port["gateway"])
        self.addCleanup(client.close)

        def served():
            for function in (3, 4):
                for at in range(0, 4000):
                    if isinstance(client.registers(unit, function, at, 1), list):
                        return function, at
            return None
        function, at = eventually(served, 15, "a register of the simulated site")
        answer, = modbus.pymodbus_client("tcp", "127.0.0.1", self.port["gateway"], unit=unit, fn=function, at=at, count=1)
        self.assertTrue(answer["ok"], answer)
        status, values, said = modbus.mbpoll("-m", "tcp", "-p", self.port["gateway"], "-a", unit, "-r", at + 1, "-c", 1,
                                             "-t", "4" if function == 3 else "3", "127.0.0.1")
        self.assertEqual((status, list(values)), (0, [at + 1]), said)

    def test_ends_by_itself_with_exit_0(self):
        self.demo(seconds=8)
        self.assertEqual(self.process.wait(12), 0, self.process.said())
        self.assertAlmostEqual(time.monotonic() - self.began, 8, delta=1.5)

    def test_prints_one_plain_line_a_second(self):
        self.demo(seconds=5)
        self.process.wait(9)
        text = self.process.text("out")
        self.assertNotIn("\x1b", text)
        self.assertGreaterEqual(len(text.splitlines()), 3 + 3)

    def test_sigterm_ends_it_and_its_broker(self):
        self.demo()
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(3), 0, self.process.said())
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port["mqtt"]), 1)

    def test_sigint_too(self):
        self.demo()
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(3), 0, self.process.said())
        self.assertFalse(re.search(r"(?i)assert|terminate called|segmentation", self.process.text()))
