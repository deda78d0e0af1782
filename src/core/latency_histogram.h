// How long answers took of late: quantiles from counts in steps of a ninth, in 320 bytes.
//
// Eight steps an octave from 64 us to a minute, so a quantile is at most 6 % off. When 1024 are
// counted all are halved: what is old fades, and the newest thousand or two tell.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace lightship {

class LatencyHistogram {
 public:
  void add(Duration took) {
    auto& count = counts_[place(took.count())];
    if (count < 0xFFFF) ++count;
    if (++sum_ >= kFades) fade();
  }

  bool empty() const { return sum_ == 0; }

  // Nothing while there are none. `part`: 0.5 for the median.
  std::optional<Duration> quantile(double part) const {
    if (sum_ == 0) return std::nullopt;
    const auto wanted = std::max<std::uint32_t>(
        1, static_cast<std::uint32_t>(part * static_cast<double>(sum_) + 0.5));
    std::uint32_t seen = 0;
    for (std::size_t at = 0; at < kPlaces; ++at) {
      seen += counts_[at];
      if (seen >= wanted) return middle(at);
    }
    return middle(kPlaces - 1);
  }

 private:
  static constexpr int kFirstOctave = 6;  // 64 us
  static constexpr std::size_t kPlaces = 160;
  static constexpr std::uint32_t kFades = 1024;

  static std::size_t place(std::int64_t us) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 64));
    const int octave = std::bit_width(value) - 1;
    const auto step = value >> (octave - 3) & 7;
    return std::min<std::size_t>(static_cast<std::size_t>(octave - kFirstOctave) * 8 + step,
                                 kPlaces - 1);
  }
  static Duration middle(std::size_t at) {
    const auto octave = static_cast<int>(at / 8) + kFirstOctave;
    const auto low = (std::int64_t{8} + static_cast<std::int64_t>(at % 8)) << (octave - 3);
    return Duration(low + (std::int64_t{1} << (octave - 3)) / 2);
  }
  void fade() {
    sum_ = 0;
    for (auto& count : counts_) sum_ += count /= 2;
  }

  std::array<std::uint16_t, kPlaces> counts_{};
  std::uint32_t sum_ = 0;
};

}  // namespace lightship
