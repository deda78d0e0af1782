"""Waiting for a condition, and ports that are free. No test sleeps and hopes."""
import os
import random
import socket
import time


def eventually(condition, within=5.0, what=None, step=0.01):
    """Returns the first true thing that `condition()` gives, or fails after `within` seconds."""
    end = time.monotonic() + within
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() >= end:
            name = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"{name}: not within {within:g} s (last: {got!r})")
        time.sleep(step)


_next_port = random.Random(os.getpid()).randrange(15000, 31000)


def free_port():
    """A port that nobody listens on. It is below the range from which the kernel takes ports for outgoing
    connections, so nobody takes it by chance between now and its use."""
    global _next_port
    while True:
        _next_port = _next_port + 1 if _next_port < 31999 else 15000
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind(("127.0.0.1", _next_port))
            return _next_port
        except OSError:
            continue
