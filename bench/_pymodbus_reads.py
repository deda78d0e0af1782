#!/usr/bin/python3
"""The reads of points_per_second.py by pymodbus' async client, and nothing else: no decoding, no cache.

    _pymodbus_reads.py PORT CONNECTIONS INTERVAL_S IN_FLIGHT SECONDS FIRST:COUNT...

Each connection asks for its blocks at every time of the grid of its interval. Says once the warm-up is
over "measuring", and after SECONDS a JSON object: how many polls were finished and how many were missed.
"""
import asyncio
import json
import sys
import time

from pymodbus.client import AsyncModbusTcpClient

WARM_UP_S = 3


class Told:
    finished = missed = failed = 0


async def poll_for_ever(port, unit, interval, in_flight, blocks, told):
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    due = time.monotonic()
    while True:
        await asyncio.sleep(max(0, due - time.monotonic()))
        for at in range(0, len(blocks), in_flight):
            answers = await asyncio.gather(*(client.read_holding_registers(first, count, unit) for first, count in blocks[at:at + in_flight]))
            told.failed += sum(answer.isError() for answer in answers)
        told.finished += 1
        due += interval
        late = max(0, int((time.monotonic() - due) / interval))
        told.missed += late
        due += late * interval


async def main(port, connections, interval, in_flight, seconds, *blocks):
    blocks = [tuple(map(int, block.split(":"))) for block in blocks]
    told = Told()
    tasks = [asyncio.ensure_future(poll_for_ever(int(port), unit + 1, float(interval), int(in_flight), blocks, told))
             for unit in range(int(connections))]
    await asyncio.sleep(WARM_UP_S)
    before, missed, failed = told.finished, told.missed, told.failed
    print("measuring", flush=True)
    began = time.monotonic()
    await asyncio.sleep(float(seconds))
    passed = time.monotonic() - began
    print(json.dumps({"polls": told.finished - before, "missed": told.missed - missed, "failed": told.failed - failed,
                      "seconds": passed}), flush=True)
    for task in tasks:
        task.cancel()


asyncio.run(main(*sys.argv[1:]))
