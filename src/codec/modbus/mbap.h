// Modbus TCP: the MBAP header, and cutting a stream into ADUs.
//
// A protocol id other than 0 or a length outside 2..254 means that the stream has lost its framing:
// the only safe answer is to close the connection. Messaging on TCP/IP V1.0b, 3.1.3.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/modbus/pdu.h"

namespace lightship::modbus::mbap {

inline constexpr std::size_t kHeader = 7;
inline constexpr std::size_t kMaxAdu = 260;

struct Adu {
  std::uint16_t transaction = 0;
  std::uint8_t unit = 0;
  Bytes pdu;             // into the bytes that were given, never empty
  std::size_t size = 0;  // how many of them it takes
};

// The ADU at the start of `stream`. Errc::incomplete: read on; Errc::malformed: close. A wrong
// header is malformed as soon as it is seen, before the rest has come.
Result<Adu> next_adu(Bytes stream);

ByteVector frame(std::uint16_t transaction, std::uint8_t unit, Bytes pdu);
void append_frame(ByteVector& out, std::uint16_t transaction, std::uint8_t unit, Bytes pdu);

// The PDU is written in place, so several requests may leave in one write without a copy.
void append_frame(ByteVector& out, std::uint16_t transaction, std::uint8_t unit,
                  const Request& request);
void append_frame(ByteVector& out, std::uint16_t transaction, std::uint8_t unit,
                  const Reply& reply);

}  // namespace lightship::modbus::mbap
