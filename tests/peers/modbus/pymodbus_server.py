#!/usr/bin/python3
"""A Modbus server made of pymodbus.

    pymodbus_server.py tcp|udp|rtu_over_tcp|ascii_over_tcp --port N [--host H]
    pymodbus_server.py rtu|ascii --device TTY [--baud N] [--parity N|E|O] [--unit N]

With --holes 12,40-44 it has no such holding registers: a read of one is refused with exception 2.

It serves the data map of `libmodbus_server.c` and obeys the same commands on stdin: set, count, silent,
exception. Without --unit it answers every unit; with it, it stays silent for the others.
"""
import argparse
import asyncio
import json
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.pdu import ExceptionResponse
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer, ModbusUdpServer
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer, ModbusSocketFramer

SPACES = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
FRAMERS = {"tcp": ModbusSocketFramer, "udp": ModbusSocketFramer, "rtu_over_tcp": ModbusRtuFramer,
           "ascii_over_tcp": ModbusAsciiFramer, "rtu": ModbusRtuFramer, "ascii": ModbusAsciiFramer}


class Holed(ModbusSequentialDataBlock):
    """A block in which some registers do not exist."""

    holes = frozenset()

    def validate(self, address, count=1):
        return super().validate(address, count) and not any(at in self.holes for at in range(address, address + count))


def numbers(text):
    parts = [part.split("-") for part in text.split(",") if part]
    return frozenset(at for part in parts for at in range(int(part[0]), int(part[-1]) + 1))


def data_map(size):
    return ModbusSlaveContext(
        zero_mode=True,
        co=ModbusSequentialDataBlock(0, [(7 * i + 3) % 5 < 2 for i in range(size)]),
        di=ModbusSequentialDataBlock(0, [(3 * i + 1) % 4 == 0 for i in range(size)]),
        hr=Holed(0, [(0x1000 + 0x0101 * i) & 0xFFFF for i in range(size)]),
        ir=ModbusSequentialDataBlock(0, [0xA5A5 ^ (0x0203 * i & 0xFFFF) for i in range(size)]),
    )


class Manners:
    """How the server answers, as the commands on stdin ask for it."""

    def __init__(self, slave):
        self.slave, self.requests, self.refused, self.silent, self.exception = slave, 0, 0, False, 0

    def answer(self, response):
        self.requests += 1
        self.refused += response.function_code > 0x80
        if self.silent:
            response.should_respond = False
        elif self.exception:
            refused = ExceptionResponse(response.function_code & 0x7F, self.exception)
            refused.transaction_id, refused.unit_id = response.transaction_id, response.unit_id
            response = refused
        return response, False

    def obey(self, line):
        word, *rest = line.split()
        if word == "count":
            return {"requests": self.requests, "refused": self.refused}
        if word == "silent":
            self.silent = rest[0] != "0"
        elif word == "exception":
            self.exception = int(rest[0])
        elif word == "set":
            self.slave.setValues(SPACES[rest[0]], int(rest[1]), [int(v, 0) for v in rest[2:]])
        else:
            return {"ok": False}
        return {"ok": True}

    def listen_to_stdin(self, loop):
        for line in sys.stdin:
            answered = threading.Event()

            def act(line=line, answered=answered):
                print(json.dumps(self.obey(line)), flush=True)
                answered.set()

            loop.call_soon_threadsafe(act)
            answered.wait(5)


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("mode", choices=FRAMERS)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--device")
    options.add_argument("--baud", type=int, default=9600)
    options.add_argument("--parity", default="N")
    options.add_argument("--unit", type=int)
    options.add_argument("--size", type=int, default=300)
    options.add_argument("--holes", type=numbers, default=frozenset())
    o = options.parse_args()
    Holed.holes = o.holes

    slave = data_map(o.size)
    manners = Manners(slave)
    context = ModbusServerContext(slaves=slave if o.unit is None else {o.unit: slave}, single=o.unit is None)
    common = dict(framer=FRAMERS[o.mode], ignore_missing_slaves=True, response_manipulator=manners.answer)

    if o.device:
        # pyserial takes 7 data bits for granted nowhere: ASCII is run with 8 here, as a pseudo-terminal has it.
        server = ModbusSerialServer(context, port=o.device, baudrate=o.baud, parity=o.parity, bytesize=8, stopbits=1,
                                    **common)
        await server.start()
        serving = asyncio.create_task(server.serve_forever())
        port = None
    else:
        kind = ModbusUdpServer if o.mode == "udp" else ModbusTcpServer
        more = {} if o.mode == "udp" else {"allow_reuse_address": True, "backlog": 100}
        server = kind(context, address=(o.host, o.port), **more, **common)
        serving = asyncio.create_task(server.serve_forever())
        await server.serving
        where = server.protocol.get_extra_info("sockname") if o.mode == "udp" else server.server.sockets[0].getsockname()
        port = where[1]

    print(json.dumps({"ready": True, "port": port}), flush=True)
    threading.Thread(target=manners.listen_to_stdin, args=(asyncio.get_running_loop(),), daemon=True).start()
    await serving


asyncio.run(main())
