// Since when a message has waited at least, on the steady clock of this run: known of all, though
// most are on disk only, because their numbers grow with time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace lightship {

class OutboxAges {
 public:
  // Every message up to this number was there at `at`.
  void note(std::uint64_t id, MonoTime at) {
    const auto n = marks_.size();
    const bool close = n >= 2 && marks_[n - 1].at - marks_[n - 2].at < step_;
    if (close)
      marks_.back() = {id, at};
    else
      marks_.push_back({id, at});
    if (marks_.size() > kMost) thin();
  }

  // The end of time where it is not known.
  MonoTime of(std::uint64_t id) const {
    const auto found = std::ranges::lower_bound(marks_, id, {}, &Mark::id);
    return found == marks_.end() ? MonoTime::max() : found->at;
  }

 private:
  struct Mark {
    std::uint64_t id;
    MonoTime at;
  };
  static constexpr std::size_t kMost = 2048;

  void thin() {
    std::vector<Mark> kept;
    for (std::size_t i = 1; i < marks_.size(); i += 2) kept.push_back(marks_[i]);
    if (marks_.size() % 2 == 1) kept.push_back(marks_.back());
    marks_ = std::move(kept);
    step_ *= 2;
  }

  std::vector<Mark> marks_;
  std::chrono::nanoseconds step_ = std::chrono::milliseconds(500);
};

}  // namespace lightship
