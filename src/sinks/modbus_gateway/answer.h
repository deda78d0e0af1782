// Requests in, answers out: the gateway without its sockets.
//
// The checks stand in the order of docs/modbus.md: unit unknown 0x0A, function not 1-4 nor a write
// to a device that allows it 0x01, count 0x03, not polled or past 65535 0x02, not read yet or too
// old 0x0B. A header that is none (protocol id, length) means that the stream has lost its framing.
// Nothing is allocated for a read out of a register image.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/modbus/exception.h"
#include "codec/modbus/mbap.h"
#include "sinks/modbus_gateway/tally.h"
#include "sinks/modbus_gateway/unit.h"

namespace lightship::gateway {

// A read that only the device can answer, or a write.
struct Ask {
  std::uint16_t transaction = 0;
  std::uint8_t unit = 0;
  DeviceId device{};
  Space space{};
  std::uint16_t first = 0;
  std::uint16_t count = 0;
  std::size_t size = 0;  // bytes of the request, not counted in Step::used
  ByteVector write;      // the PDU of a write; empty: a read
};

// What became of the bytes of a stream.
struct Step {
  enum class Why {
    need_more,  // everything that is whole is answered
    enough,     // the answers fill a send; call again for the rest
    ask,        // the next request goes to the device
    lost,       // no Modbus TCP: close
  } why = Why::need_more;
  std::size_t used = 0;
  Ask ask;
};

class Answerer {
 public:
  // Answers collected before they leave: about 560 reads of 10 registers, 64 of 125.
  static constexpr std::size_t kEnough = 16 * 1024;
  static constexpr std::size_t kMostBytes = kEnough + modbus::mbap::kMaxAdu;

  Answerer(const Units& units, Tally& tally, bool pass_through)
      : units_(units), tally_(tally), pass_through_(pass_through) {}

  Step answer(Bytes stream, MonoTime now, ByteVector& out);

  // What the device said to an Ask, or why it did not.
  void relay(const Ask& ask, const Result<ByteVector>& said, ByteVector& out);

 private:
  enum class Taken { answered, ask };
  Taken answer_one(const modbus::mbap::Adu& adu, MonoTime now, ByteVector& out, Ask& ask);
  Taken take_write(const modbus::mbap::Adu& adu, Unit& unit, ByteVector& out, Ask& ask);
  void refuse(std::uint16_t transaction, std::uint8_t unit, std::uint8_t function, int code,
              ByteVector& out);

  const Units& units_;
  Tally& tally_;
  bool pass_through_;
};

}  // namespace lightship::gateway
