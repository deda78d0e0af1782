// Cuts what an RTU line or an RTU-over-TCP stream delivers into requests, for servers.
//
// Framing is by known length and CRC. Where the CRC does not match, or no request begins so, one
// byte is dropped and the next is tried. A server on a line calls `silence` when the line has been
// quiet, which is the only certain frame boundary there is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "codec/modbus/rtu.h"

namespace lightship::modbus::rtu {

class RequestScanner {
 public:
  RequestScanner() { buffer_.reserve(kCapacity); }

  void feed(Bytes bytes);

  // The next whole request; its PDU is valid until the next call of anything here.
  std::optional<Frame> next();

  // Nothing came for longer than a frame may pause: what is left is no request any more.
  void silence();

  std::uint64_t bad_crc() const {
    return bad_crc_;
  }  // positions where a request seemed to begin but its CRC failed
  std::uint64_t dropped_bytes() const { return dropped_bytes_; }

 private:
  static constexpr std::size_t kCapacity = 512;

  ByteVector buffer_;
  std::size_t at_ = 0;
  std::uint64_t bad_crc_ = 0;
  std::uint64_t dropped_bytes_ = 0;
};

}  // namespace lightship::modbus::rtu
