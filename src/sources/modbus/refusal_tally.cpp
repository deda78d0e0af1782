// Counts refused writes by where and why.
#include "sources/modbus/refusal_tally.h"

#include <algorithm>

namespace lightship::poller {

bool RefusalTally::may_tell(WriteStory& story, const Error& why, LineBudget& all, Time now,
                            MonoTime mono) {
  Key key{story.device, story.point, why.code, why.detail};
  if (!counted_.contains(key) && counted_.size() >= kMost) key = {};
  auto& counted = counted_.try_emplace(key, std::get<0>(key), std::get<1>(key)).first->second;
  if (counted.lines.take(mono) && all.take(mono)) {
    story.untold = std::exchange(counted.untold, 0);
    return true;
  }
  if (counted.untold++ == 0) counted.since = now;
  counted.by = shortened(story.by);
  counted.error = shortened(why.text);
  return false;
}

bool RefusalTally::owes() const {
  return std::ranges::any_of(counted_, [](const auto& one) { return one.second.untold > 0; });
}

std::optional<RefusalTally::Counted> RefusalTally::next(LineBudget& all, MonoTime mono) {
  for (auto& [key, counted] : counted_) {
    if (counted.untold == 0 || !counted.lines.take(mono)) continue;
    if (!all.take(mono)) return std::nullopt;
    auto told = counted;
    counted.untold = 0;
    return told;
  }
  return std::nullopt;
}

void tell(JsonWriter& json, const RefusalTally::Counted& counted) {
  if (!counted.device.empty()) json.member("device", counted.device);
  if (!counted.point.empty()) json.member("point", counted.point);
  json.member("count", counted.untold).member("since", to_rfc3339(counted.since));
  json.member("newest_by", counted.by).member("newest_error", counted.error);
}

}  // namespace lightship::poller
