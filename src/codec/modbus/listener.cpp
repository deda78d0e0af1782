// What all listeners do: keep bytes with their times, and hand out what was found.
#include "codec/modbus/listener.h"

#include <algorithm>

namespace lightship::modbus {

void Listener::feed(Bytes bytes, std::chrono::nanoseconds at) {
  if (bytes.empty()) return;
  const auto count = static_cast<std::int64_t>(bytes.size());
  const auto first = at - (count - 1) * timing_.character;
  if (!ends_.empty() && first - timing_.character - ends_.back() > timing_.silence) flush();
  // Bytes that were read together came one after the other, but none before those read earlier.
  auto end = ends_.empty() ? last_end_.value_or(first) : ends_.back();
  for (std::int64_t i = 0; i < count; ++i) {
    end = std::max(end, first + i * timing_.character);
    ends_.push_back(end);
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  scan(false);
}

void Listener::flush() { scan(true); }

std::optional<Overheard> Listener::next() {
  if (found_.empty()) return std::nullopt;
  auto heard = std::move(found_.front());
  found_.pop_front();
  return heard;
}

Overheard Listener::cut(std::size_t from, std::size_t to) {
  Overheard heard;
  const auto bytes = part(from, to);
  heard.bytes.assign(bytes.begin(), bytes.end());
  heard.begin = ends_[from] - timing_.character;
  heard.end = ends_[to - 1];
  if (last_end_) {
    heard.begin = std::max(heard.begin, *last_end_);
    heard.gap = heard.begin - *last_end_;
  }
  last_end_ = heard.end;
  return heard;
}

void Listener::drop(std::size_t count) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(count));
  ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(count));
}

bool Listener::begins_after_pause(std::size_t at) const {
  return at > 0 && ends_[at] - timing_.character - ends_[at - 1] >= timing_.pause;
}

}  // namespace lightship::modbus
