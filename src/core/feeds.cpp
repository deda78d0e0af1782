// Keeps the rhythm of each device.
#include "core/feeds.h"

#include <algorithm>
#include <cmath>

namespace lightship {

void Feeds::refresh() {
  const auto known = std::exchange(feeds_, {});
  const auto now = clock_.mono();
  for (const auto id : catalog_.devices()) {
    const Publishing* how = choose_(catalog_.info(id));
    if (how == nullptr) continue;
    Feed feed;
    feed.device = id;
    feed.how = *how;
    feed.told = cache_.device(id).heard;
    feed.due = feed.told ? now : now + how->interval;
    const auto before = std::ranges::find(known, id, &Feed::device);
    if (before != known.end()) {
      feed.told = before->told;
      feed.sent = before->sent;
      feed.due = std::min(before->due, now + how->interval);
    }
    feeds_.push_back(std::move(feed));
  }
}

bool Feeds::heard(DeviceId device) {
  bool due = false;
  for (auto& feed : feeds_) {
    if (feed.device != device) continue;
    const bool first = !std::exchange(feed.told, true);
    if (!first && !(feed.how.on_change && moved(feed))) continue;
    feed.due = clock_.mono();
    due = true;
  }
  return due;
}

MonoTime Feeds::serve(const std::function<void(DeviceId, Duration)>& make) {
  auto next = MonoTime::max();
  for (auto& feed : feeds_) {
    const auto now = clock_.mono();
    if (feed.due <= now) {
      make(feed.device, feed.how.interval);
      if (feed.how.on_change) feed.sent = values(feed.device);
      feed.due += feed.how.interval;
      if (feed.due <= now)
        feed.due += ((now - feed.due) / feed.how.interval + 1) * feed.how.interval;
    }
    next = std::min(next, feed.due);
  }
  return next;
}

bool Feeds::moved(const Feed& feed) const {
  const auto now = values(feed.device);
  if (feed.sent.size() != now.size()) return true;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] == feed.sent[i]) continue;
    const double distance = std::fabs(as_double(now[i]) - as_double(feed.sent[i]));
    if (std::isnan(distance) || distance > feed.how.deadband) return true;
  }
  return false;
}

std::vector<Value> Feeds::values(DeviceId device) const {
  std::vector<Value> found;
  for (const auto& point : cache_.device(device).points)
    found.push_back(point.reason == Reason::none ? point.value : Value{});
  return found;
}

}  // namespace lightship
