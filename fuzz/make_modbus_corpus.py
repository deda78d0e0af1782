#!/usr/bin/python3
"""Writes fuzz/corpus/modbus_*: the golden vectors as inputs of the fuzz targets. Run again when they change."""
import json
import pathlib
import shutil
import struct

ROOT = pathlib.Path(__file__).resolve().parents[1]
VECTORS = json.loads((ROOT / "tests/vectors/modbus.json").read_text())
CORPUS = ROOT / "fuzz/corpus"

# In the order of enum DataType.
TYPES = ("bool bit bits int16 uint16 int32 uint32 int64 uint64 float16 float32 float64 uint8h uint8l int8h int8l signmag16 "
         "bcd16 bcd32 mod10k pf4q acc32 enum16 bitfield32 sunssf string").split()
CHARS = ["both", "swapped", "low", "high"]
SCALES = [1, 0.1, 0.01, 0.001, 10, 0.25, 0.333]
ORDERS = {"": 0, "AB": 0, "ABCD": 0, "ABCDEFGH": 0, "BA": 1, "DCBA": 1, "HGFEDCBA": 1, "BADC": 2, "BADCFEHG": 2,
          "CDAB": 3, "GHEFCDAB": 3}

# Functions 11, 12, 20, 21, 24: as in serial_functions_test.cpp.
SERIAL = [("0B", "0BFFFF0108"), ("0C", "0C080000010801212000"),
          ("140E0600040001000206000300090002", "140C05060DFE0020050633CD0040"),
          ("150D0600040007000306AF04BE100D", "150D0600040007000306AF04BE100D"), ("1804DE", "180006000201B81284")]


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def frame_of(entry):
    pieces = entry["frame"] if isinstance(entry["frame"], list) else [entry["frame"]]
    return bytes.fromhex("".join(pieces))


def write(target, name, data):
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(data)


def write_pairs():
    pairs = [(p["id"], bytes.fromhex(p["rtu_request"])[1:-2], bytes.fromhex(p["rtu_response"])[1:-2]) for p in VECTORS["pairs"]]
    pairs += [(f"serial-{request[:2]}", bytes.fromhex(request), bytes.fromhex(reply)) for request, reply in SERIAL]
    for name, request, reply in pairs:
        write("modbus_pdu", name, bytes([len(request)]) + request + reply)
        asked, answered = (bytes([1]) + pdu + crc(bytes([1]) + pdu) for pdu in (request, reply))
        head = bytes([len(name), 0, len(request)]) + request
        write("modbus_rtu", name, head + answered)
        write("modbus_rtu", f"{name}-echo", head + asked + answered)
        write("modbus_listener", name, bytes([len(name), 0]) + asked + answered)
    for p in VECTORS["pairs"][::3]:
        write("modbus_mbap", p["id"], bytes.fromhex(p["tcp_request"] + p["tcp_response"]))


def write_malformed():
    for entry in VECTORS["malformed"]:
        frame = frame_of(entry)
        if entry["transport"] == "tcp":
            write("modbus_mbap", entry["id"], frame)
        else:
            request = bytes.fromhex(entry.get("request", ""))[1:-2]
            write("modbus_rtu", entry["id"], bytes([7, 0, len(request)]) + request + frame)
            write("modbus_listener", entry["id"], bytes([7, 0]) + bytes.fromhex(entry.get("request", "")) + frame)
    for entry in VECTORS["ascii"]:
        write("modbus_ascii", entry["id"], b"\x05" + bytes.fromhex(entry["hex"]))
        write("modbus_listener", entry["id"], b"\x05\x01" + bytes.fromhex(entry["hex"]) * 2)
        write("modbus_ascii", f"{entry['id']}-restarted", b"\x06:01" + bytes.fromhex(entry["hex"]) + b"x")


def write_values():
    for entry in VECTORS["decodings"]:
        scale = entry.get("scale", 1)
        flags = 2 * bool(entry.get("offset")) + 8 * ("not_available" in entry) + 16 * ("enum" in entry) + ("scale_register" in entry)
        power = int(entry["registers"][1], 16) & 0xFF if "scale_register" in entry else 0
        head = [TYPES.index(entry["type"]), ORDERS[entry["order"]], len(entry["registers"]), CHARS.index(entry.get("chars", "both")),
                entry.get("bit", 0), entry.get("shift", 0), entry.get("width", 0), SCALES.index(scale), power, flags]
        write("modbus_value", entry["id"], bytes(head) + bytes.fromhex("".join(entry["registers"])))


for old in CORPUS.glob("modbus_*"):
    shutil.rmtree(old)
write_pairs()
write_malformed()
write_values()
for folder in sorted(CORPUS.glob("modbus_*")):
    print(f"{folder.name}: {sum(1 for _ in folder.iterdir())} inputs")
