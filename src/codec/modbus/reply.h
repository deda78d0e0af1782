// What a server answers, checked against what was asked.
//
// `judge` is the cheap question (is this the answer to that?) which the scanners ask of every
// frame, `decode_reply` the whole answer. Application Protocol V1.1b3, sections 6 and 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/modbus/bits.h"
#include "codec/modbus/exception.h"
#include "codec/modbus/function.h"
#include "codec/modbus/request.h"

namespace lightship::modbus {

struct Written {  // 5, 6, 15, 16
  std::uint16_t address = 0;
  std::uint16_t value = 0;  // 5 and 6: as written (a coil as FF00 or 0000); 15 and 16: how many
  friend bool operator==(const Written&, const Written&) = default;
};

struct ExceptionStatus {  // 7
  std::uint8_t bits = 0;
  friend bool operator==(const ExceptionStatus&, const ExceptionStatus&) = default;
};

struct EventCounter {        // 11
  std::uint16_t status = 0;  // FFFF while the device is still busy with an earlier command
  std::uint16_t count = 0;
  friend bool operator==(const EventCounter&, const EventCounter&) = default;
};

struct EventLog {  // 12
  std::uint16_t status = 0;
  std::uint16_t event_count = 0;
  std::uint16_t message_count = 0;
  ByteVector events;  // the newest first, up to 64
  friend bool operator==(const EventLog&, const EventLog&) = default;
};

// The length of the id is the vendor's secret, so the run indicator (00 or FF) is somewhere in it.
struct ServerId {  // 17
  ByteVector data;
  friend bool operator==(const ServerId&, const ServerId&) = default;
};

struct FileRecords {  // 20, in the order asked
  std::vector<Registers> records;
  friend bool operator==(const FileRecords&, const FileRecords&) = default;
};

struct Fifo {  // 24, the oldest first, up to 31
  Registers values;
  friend bool operator==(const Fifo&, const Fifo&) = default;
};

struct Identification {  // 43/14
  struct Object {
    std::uint8_t id =
        0;  // 0 vendor, 1 product code, 2 revision, 3 URL, 4 product name, 5 model, 6 application
    std::string text;
    friend bool operator==(const Object&, const Object&) = default;
  };
  std::uint8_t access = 1;
  std::uint8_t conformity = 1;
  std::optional<std::uint8_t> next;  // more objects follow from this one
  std::vector<Object> objects;
  friend bool operator==(const Identification&, const Identification&) = default;
};

struct Reply {
  Function function = Function::read_holding_registers;
  std::variant<Registers, Bits, Written, ExceptionStatus, Diagnose, EventCounter, EventLog,
               ServerId, FileRecords, WriteFile, MaskWrite, Fifo, Identification>
      body;

  // For the reads, whose body the asker knows: empty when the body is another.
  const Registers& registers() const;  // 3, 4, 23
  const Bits& bits() const;            // 1, 2
  friend bool operator==(const Reply&, const Reply&) = default;
};

enum class Verdict {
  good,            // the answer, or an exception to it
  function,        // the answer to another function
  length,          // the asked function, but not as much as was asked, or its own byte count lies
  exception_code,  // an exception with the code 0
  mismatch,        // another address, count, value or sub-function echoed than was written
};

std::string_view to_string(Verdict verdict);

// Allocates nothing.
Verdict judge(const Request& request, Bytes pdu);

ByteVector encode(const Reply& reply);
void append(ByteVector& out, const Reply& reply);
ByteVector encode_exception(std::uint8_t function_code, Exception exception);

// Errc::refused with the exception code in `detail` for an exception, Errc::malformed for every
// verdict that is not good.
Result<Reply> decode_reply(const Request& request, Bytes pdu);

// How long the PDU of a good answer is, where the request says: the reads, the writes, 7, 8,
// 11, 20.
std::optional<std::size_t> expected_reply_size(const Request& request);

}  // namespace lightship::modbus
