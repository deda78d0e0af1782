"""What the tests of the running program share. Import what a test needs from here:

    from support import Lightship, Mosquitto, Subscriber, TestCase, modbus
"""
from support.waiting import eventually, free_port
from support.testcase import TestCase, missing_peer
from support.processes import Process
from support.program import Lightship, lightship, lightship_binary
from support.certificates import Authority
from support.brokers import Mosquitto
from support.subscriber import Message, Subscriber
from support.relay import TcpRelay
from support.http_peer import HttpPeer, HttpProxy
from support.lines import PacedLine, Pty
from support import configuration, http_peer, lines, modbus

__all__ = [
    "Authority", "HttpPeer", "HttpProxy", "Lightship", "Message", "Mosquitto", "PacedLine", "Process", "Pty", "Subscriber", "TcpRelay", "TestCase", "configuration",
    "eventually", "free_port", "http_peer", "lines", "lightship", "lightship_binary", "missing_peer",
    "modbus",
]
