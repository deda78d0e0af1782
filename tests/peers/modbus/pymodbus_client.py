#!/usr/bin/python3
"""A Modbus client made of pymodbus: the options and the output of `libmodbus_client.c`.

    pymodbus_client.py tcp|udp|rtu_over_tcp HOST PORT | rtu|ascii TTY BAUD   OPTIONS
"""
import argparse
import json
import sys
import time

from pymodbus.client import ModbusSerialClient, ModbusTcpClient, ModbusUdpClient
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer, ModbusSocketFramer

options = argparse.ArgumentParser()
options.add_argument("mode", choices=("tcp", "udp", "rtu_over_tcp", "rtu", "ascii"))
options.add_argument("where")
options.add_argument("number", type=int)
for name, default in (("unit", 1), ("fn", 3), ("at", 0), ("count", 1), ("value", 0), ("repeat", 1), ("timeout-ms", 1000)):
    options.add_argument(f"--{name}", type=int, default=default)
o = options.parse_args()

patience = {"timeout": o.timeout_ms / 1000, "retries": 0, "retry_on_empty": False}
if o.mode == "tcp":
    client = ModbusTcpClient(o.where, port=o.number, framer=ModbusSocketFramer, **patience)
elif o.mode == "udp":
    client = ModbusUdpClient(o.where, port=o.number, framer=ModbusSocketFramer, **patience)
elif o.mode == "rtu_over_tcp":
    client = ModbusTcpClient(o.where, port=o.number, framer=ModbusRtuFramer, **patience)
else:
    framer = ModbusRtuFramer if o.mode == "rtu" else ModbusAsciiFramer
    client = ModbusSerialClient(o.where, baudrate=o.number, framer=framer, parity="N", **patience)

if not client.connect():
    print(json.dumps({"ok": False, "exception": None, "error": "connect", "us": 0}))
    sys.exit(69)

CALLS = {
    1: lambda: client.read_coils(o.at, o.count, o.unit),
    2: lambda: client.read_discrete_inputs(o.at, o.count, o.unit),
    3: lambda: client.read_holding_registers(o.at, o.count, o.unit),
    4: lambda: client.read_input_registers(o.at, o.count, o.unit),
    5: lambda: client.write_coil(o.at, bool(o.value), o.unit),
    6: lambda: client.write_register(o.at, o.value, o.unit),
    15: lambda: client.write_coils(o.at, [bool(o.value)] * o.count, o.unit),
    22: lambda: client.mask_write_register(address=o.at, and_mask=~o.value & 0xFFFF, or_mask=o.value, unit=o.unit),
    23: lambda: client.readwrite_registers(read_address=o.at, read_count=o.count, write_address=o.at,
                                           write_registers=[o.value] * o.count, unit=o.unit),
    16: lambda: client.write_registers(o.at, [o.value] + [0] * (o.count - 1), o.unit),
}
good = 0
for _ in range(o.repeat):
    began = time.monotonic()
    try:
        answer = CALLS[o.fn]()
    except Exception as e:  # pymodbus raises what it does not know how to say
        answer = e
    us = int((time.monotonic() - began) * 1e6)
    if isinstance(answer, Exception) or answer.isError():
        print(json.dumps({"ok": False, "exception": getattr(answer, "exception_code", None), "error": str(answer), "us": us}),
              flush=True)
        continue
    values = answer.bits[:o.count] if o.fn <= 2 else answer.registers if o.fn in (3, 4, 23) else []
    print(json.dumps({"ok": True, "values": [int(v) for v in values], "us": us}), flush=True)
    good += 1
client.close()
sys.exit(0 if good == o.repeat else 1)
