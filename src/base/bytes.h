// Bytes seen and bytes owned, and reading and writing them in network order.
//
// A Reader never reads past its end: what is missing reads as zero and `ok()` turns false, so a
// decoder checks once, after the last field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lightship {

using Bytes = std::span<const std::uint8_t>;
using ByteVector = std::vector<std::uint8_t>;

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  std::uint8_t u8() {
    if (at_ >= bytes_.size()) return missing();
    return bytes_[at_++];
  }
  std::uint16_t u16() {
    const auto high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  Bytes take(std::size_t count) {
    if (count > left()) {
      at_ = bytes_.size();
      ok_ = false;
      return {};
    }
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }
  Bytes rest() { return take(left()); }

  std::size_t left() const { return bytes_.size() - at_; }
  bool ok() const { return ok_; }                   // nothing was missing so far
  bool done() const { return ok_ && left() == 0; }  // nothing was missing and nothing is left over

 private:
  std::uint8_t missing() {
    ok_ = false;
    return 0;
  }
  Bytes bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

inline void put_u8(ByteVector& out, std::uint8_t value) { out.push_back(value); }
inline void put_u16(ByteVector& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
inline void put_u32(ByteVector& out, std::uint32_t value) {
  put_u16(out, static_cast<std::uint16_t>(value >> 16));
  put_u16(out, static_cast<std::uint16_t>(value));
}
inline void put_bytes(ByteVector& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline std::uint16_t load_u16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

}  // namespace lightship
