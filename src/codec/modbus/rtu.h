// RTU frames: unit, PDU, CRC; and how long a frame is going to be, from its first bytes.
//
// Knowing the length a receiver need not wait for the silence that ends a frame. A passive listener
// has to try both lengths: a request and an answer cannot be told apart by their function.
// Modbus over Serial Line V1.02, 2.5.1; RTU over TCP carries the same frames in a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace lightship::modbus::rtu {

inline constexpr std::size_t kMaxFrame = 256;
inline constexpr std::size_t kMinFrame = 4;

ByteVector frame(std::uint8_t unit, Bytes pdu);
void append_frame(ByteVector& out, std::uint8_t unit, Bytes pdu);

struct Frame {
  std::uint8_t unit = 0;
  Bytes pdu;  // into the bytes that were given
};

// One whole frame. Errc::incomplete when too short for any, Errc::crc when the CRC does not match.
Result<Frame> unframe(Bytes frame);

// The length of the whole frame whose first bytes these are. Errc::incomplete when it is not yet
// known, Errc::malformed when no such frame exists (unknown function, longer than a frame may be).
Result<std::size_t> reply_length(Bytes so_far);
Result<std::size_t> request_length(Bytes so_far);

// The same without an Error, for those who ask at every byte.
struct Length {
  enum class State { known, incomplete, impossible } state = State::incomplete;
  std::size_t bytes = 0;

  bool known() const { return state == State::known; }
  bool incomplete() const { return state == State::incomplete; }
};
Length measure_reply(Bytes so_far);
Length measure_request(Bytes so_far);

}  // namespace lightship::modbus::rtu
