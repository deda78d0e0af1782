// Finds the writes in the lines of the audit.
#include "sources/modbus/past_writes.h"

#include <algorithm>

#include <boost/json.hpp>

namespace lightship::poller {
namespace {

using namespace std::chrono_literals;

// Writes without an end: one for each time the program was killed in the middle.
constexpr std::size_t kMostOpen = 1000;
// The clock may have been set back a little since. What lies further ahead says nothing.
constexpr Duration kAhead = 1min;

std::string_view text_of(const boost::json::object& entry, std::string_view key) {
  const auto* value = entry.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

// An address or a number of registers; what can be neither touches nothing.
std::int64_t number_of(const boost::json::object& entry, std::string_view key) {
  const auto* value = entry.if_contains(key);
  if (value == nullptr || !value->is_int64()) return 0;
  return std::clamp<std::int64_t>(value->get_int64(), 0, 65536);
}

}  // namespace

void PastWrites::watch(const DeviceSetup& setup) {
  Device device{.id = setup.info.id()};
  for (std::size_t which = 0; which < setup.points.size(); ++which) {
    const auto& point = setup.points[which];
    if (point.rule().min_interval <= Duration{}) continue;
    longest_ = std::max(longest_, point.rule().min_interval);
    device.guarded.emplace_back(which, point);
  }
  if (!device.guarded.empty() || setup.max_writes_per_minute > 0)
    devices_.push_back(std::move(device));
}

Time PastWrites::since() const { return devices_.empty() ? now_ : now_ - longest_; }

void PastWrites::take(std::string_view line) {
  if (line.find(R"("event":"write")") == line.npos) return;
  boost::system::error_code damaged;
  const auto tree = boost::json::parse(line, damaged);
  const auto* entry = damaged ? nullptr : tree.if_object();
  if (entry == nullptr) return;
  const auto device = std::ranges::find(devices_, text_of(*entry, "device"), &Device::id);
  const auto at = from_rfc3339(text_of(*entry, "time"));
  if (device == devices_.end() || !at || *at < since() || *at > now_ + kAhead) return;
  Asked write{.at = std::min(*at, now_),
              .point = std::string(text_of(*entry, "point")),
              .space = text_of(*entry, "space") == "coils" ? Space::coils : Space::holding,
              .first = number_of(*entry, "at"),
              .count = number_of(*entry, "count"),
              .device = static_cast<std::size_t>(device - devices_.begin())};
  std::string id(text_of(*entry, "id"));
  if (text_of(*entry, "state") == "asked") {
    if (open_.size() < kMostOpen) open_.insert_or_assign(std::move(id), std::move(write));
    return;
  }
  open_.erase(id);
  if (entry->contains("function")) sent(write);
}

void PastWrites::sent(const Asked& write) {
  auto& device = devices_[write.device];
  for (const auto& [which, point] : device.guarded) {
    const auto& where = point.where;
    const bool touched = write.point.empty() ? where.space == write.space &&
                                                   where.address < write.first + write.count &&
                                                   write.first < where.address + where.count
                                             : point.name == write.point;
    if (!touched) continue;
    auto& newest = device.written.try_emplace(which, write.at).first->second;
    newest = std::max(newest, write.at);
  }
  if (write.at < now_ - kRecent) return;
  if (device.recent.size() >= kMostRecent) device.recent.pop_front();
  device.recent.push_back(write.at);
}

const std::vector<PastWrites::Device>& PastWrites::devices() {
  for (const auto& [id, write] : open_) sent(write);
  open_.clear();
  for (auto& device : devices_) std::ranges::sort(device.recent);
  return devices_;
}

}  // namespace lightship::poller
