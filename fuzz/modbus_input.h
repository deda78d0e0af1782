// What the Modbus fuzz targets share: taking an input apart, and saying that something must hold.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "base/bytes.h"

namespace lightship::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

// Parameters come first, one byte each; what is missing is 0. The rest is the data.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

  std::uint8_t u8() {
    if (bytes_.empty()) return 0;
    const auto byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  Bytes take(std::size_t count) {
    const auto part = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(part.size());
    return part;
  }
  Bytes rest() const { return bytes_; }

 private:
  Bytes bytes_;
};

// Calls `feed` with all of `stream`, in pieces of 1 to 64 bytes that follow from `seed`.
template <class Feed>
void in_pieces(Bytes stream, std::uint32_t seed, Feed feed) {
  while (!stream.empty()) {
    seed = seed * 1664525u + 1013904223u;
    const std::size_t size =
        std::min<std::size_t>(1 + (seed >> 16) % (1u + (seed >> 24) % 64), stream.size());
    feed(stream.first(size));
    stream = stream.subspan(size);
  }
}

}  // namespace lightship::fuzz
