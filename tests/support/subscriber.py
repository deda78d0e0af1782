"""A subscriber made of paho-mqtt that keeps everything it hears, with the time of its arrival."""
import dataclasses
import json
import threading
import time
import uuid

from support.testcase import missing_peer
from support.waiting import eventually

try:
    from paho.mqtt import client as paho
except ImportError:
    paho = None


@dataclasses.dataclass
class Message:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    at: float          # time.monotonic()
    wall: float        # time.time()

    @property
    def json(self):
        return json.loads(self.payload)


class Subscriber:
    """Subscribes to `topics` with QoS 1 in a session that the broker keeps while it is away."""

    def __init__(self, port, topics=("#",), user=None, password=None, host="127.0.0.1"):
        if paho is None:
            missing_peer("python3-paho-mqtt is not installed")
        self.host, self.port, self.topics = host, port, topics
        self.messages = []
        self._news = threading.Condition()
        self._subscribed = threading.Event()
        self.client = paho.Client(client_id=f"subscriber-{uuid.uuid4().hex[:12]}", clean_session=False)
        self.client.reconnect_delay_set(0.05, 0.2)
        self.client.username_pw_set(user, password) if user else None
        self.client.on_connect = lambda c, *_: c.subscribe([(t, 1) for t in self.topics])
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_disconnect = lambda *_: self._subscribed.clear()
        self.client.on_message = self._hear

    def start(self):
        self.client.connect(self.host, self.port, keepalive=30)
        self.client.loop_start()
        self.await_subscribed()
        return self

    def await_subscribed(self, within=10.0):
        if not self._subscribed.wait(within):
            raise AssertionError(f"subscriber: no subscription at port {self.port} within {within:g} s")

    def _hear(self, _client, _userdata, m):
        with self._news:
            self.messages.append(Message(m.topic, m.payload, m.qos, bool(m.retain), time.monotonic(), time.time()))
            self._news.notify_all()

    def snapshot(self, topic=None):
        with self._news:
            return [m for m in self.messages if topic in (None, m.topic)]

    def wait_for(self, predicate, within=10.0, what="a message", after=0):
        """The first message, from the one numbered `after` on, for which `predicate(message)` is true."""
        end = time.monotonic() + within
        with self._news:
            at = after
            while True:
                for m in self.messages[at:]:
                    at += 1
                    if predicate(m):
                        return m
                left = end - time.monotonic()
                if left <= 0:
                    heard = "\n".join(f"  {m.topic} {m.payload[:300]!r}" for m in self.messages[-10:])
                    raise AssertionError(f"subscriber: {what} not within {within:g} s; heard {len(self.messages)}:\n{heard}")
                self._news.wait(left)

    def wait_for_count(self, topic, count, within=20.0):
        """The first `count` messages of a topic."""
        eventually(lambda: len(self.snapshot(topic)) >= count, within, f"{count} messages on {topic}")
        return self.snapshot(topic)[:count]

    def count(self):
        with self._news:
            return len(self.messages)

    def publish(self, topic, payload, retain=False):
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()

    def said(self):
        with self._news:
            return "\n".join([f"--- subscriber ({len(self.messages)} messages)",
                              *(f"  {m.topic}{' (retained)' if m.retain else ''} {m.payload[:400].decode(errors='replace')}"
                                for m in self.messages[-20:])])
