// A deque under a mutex that is held for a push or a copy of pointers.
#include "base/log_ring.h"

#include <algorithm>
#include <utility>

namespace lightship {

// With what the allocator and the shared pointer need, as measured with glibc.
std::size_t LogRing::size_of(const LogLine& line) {
  constexpr std::size_t kBeside = sizeof(LogLine) + sizeof(Line) + 32;
  return kBeside + line.source.capacity() + line.event.capacity() + line.fields.capacity();
}

void LogRing::keep(LogLine line) {
  const auto size = size_of(line);
  const std::scoped_lock lock(mutex_);
  line.seq = newest_.load(std::memory_order_relaxed) + 1;
  bytes_ += size;
  lines_.push_back(std::make_shared<const LogLine>(std::move(line)));
  while (lines_.size() > 1 && (lines_.size() > most_lines_ || bytes_ > most_bytes_)) {
    bytes_ -= size_of(*lines_.front());
    lines_.pop_front();
  }
  newest_.store(lines_.back()->seq, std::memory_order_release);
}

std::vector<LogRing::Line> LogRing::lines(std::uint64_t after) const {
  const std::scoped_lock lock(mutex_);
  const auto first =
      std::ranges::upper_bound(lines_, after, {}, [](const Line& line) { return line->seq; });
  return {first, lines_.end()};
}

std::size_t LogRing::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

}  // namespace lightship
