// What a client asks: one small struct per kind of request, and their PDUs.
//
// Pure: no I/O, no clock, no log. A decoded request is a possible one: its counts are within the
// limits, its byte counts true, its ranges end at or before 65535. What is not decodes into
// Errc::refused with the exception a server answers in Error::detail, found in the order of the
// standard: function unknown 1, count or value 3, range 2. A server that serves fewer functions
// looks at the first byte before it decodes. Application Protocol V1.1b3, sections 6 and 7.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/modbus/bits.h"
#include "codec/modbus/function.h"

namespace lightship::modbus {

using Registers = std::vector<std::uint16_t>;

struct Read {  // 1, 2, 3, 4
  Function function = Function::read_holding_registers;
  std::uint16_t address = 0;
  std::uint16_t count = 1;
  friend bool operator==(const Read&, const Read&) = default;
};

struct WriteCoil {  // 5
  std::uint16_t address = 0;
  bool on = false;
  friend bool operator==(const WriteCoil&, const WriteCoil&) = default;
};

struct WriteRegister {  // 6
  std::uint16_t address = 0;
  std::uint16_t value = 0;
  friend bool operator==(const WriteRegister&, const WriteRegister&) = default;
};

struct Query {  // 7, 11, 12, 17: nothing but the function
  Function function = Function::report_server_id;
  friend bool operator==(const Query&, const Query&) = default;
};

struct Diagnose {  // 8; most sub-functions are answered with the same
  std::uint16_t sub_function = 0;
  std::uint16_t data = 0;
  friend bool operator==(const Diagnose&, const Diagnose&) = default;
};

struct WriteCoils {  // 15
  std::uint16_t address = 0;
  Bits values;
  friend bool operator==(const WriteCoils&, const WriteCoils&) = default;
};

struct WriteRegisters {  // 16
  std::uint16_t address = 0;
  Registers values;
  friend bool operator==(const WriteRegisters&, const WriteRegisters&) = default;
};

struct FileRange {
  std::uint16_t file = 1;
  std::uint16_t record = 0;
  std::uint16_t length = 1;  // in registers
  friend bool operator==(const FileRange&, const FileRange&) = default;
};

struct FileRecord {
  std::uint16_t file = 1;
  std::uint16_t record = 0;
  Registers values;
  friend bool operator==(const FileRecord&, const FileRecord&) = default;
};

struct ReadFile {  // 20
  std::vector<FileRange> ranges;
  friend bool operator==(const ReadFile&, const ReadFile&) = default;
};

struct WriteFile {  // 21; answered with the same
  std::vector<FileRecord> records;
  friend bool operator==(const WriteFile&, const WriteFile&) = default;
};

struct MaskWrite {  // 22; answered with the same
  std::uint16_t address = 0;
  std::uint16_t and_mask = 0xFFFF;
  std::uint16_t or_mask = 0;
  friend bool operator==(const MaskWrite&, const MaskWrite&) = default;
};

struct ReadWrite {  // 23: writes first, reads afterwards
  std::uint16_t read_address = 0;
  std::uint16_t read_count = 1;
  std::uint16_t write_address = 0;
  Registers values;
  friend bool operator==(const ReadWrite&, const ReadWrite&) = default;
};

struct ReadFifo {  // 24
  std::uint16_t address = 0;
  friend bool operator==(const ReadFifo&, const ReadFifo&) = default;
};

struct Identify {           // 43/14
  std::uint8_t access = 1;  // 1 basic, 2 regular, 3 extended, 4 one object
  std::uint8_t object = 0;  // where to begin, or the one
  friend bool operator==(const Identify&, const Identify&) = default;
};

// Copying a Read copies six bytes; only the writes own memory.
using Request =
    std::variant<Read, WriteCoil, WriteRegister, Query, Diagnose, WriteCoils, WriteRegisters,
                 ReadFile, WriteFile, MaskWrite, ReadWrite, ReadFifo, Identify>;

Function function_of(const Request& request);

// "read 10 holding registers at 100", for logs and errors.
std::string describe(const Request& request);

// Writes the PDU as it is asked for, possible or not: a test may want to send what no device
// serves.
ByteVector encode(const Request& request);
void append(ByteVector& out, const Request& request);

// Errc::refused with the exception code in `detail`; Errc::malformed for no bytes at all.
Result<Request> decode_request(Bytes pdu);

// Whether it is a possible one, with the same errors as decode_request.
Result<void> check(const Request& request);

}  // namespace lightship::modbus
