// Keeps holes and limits, and says when to doubt them.
#include "sources/modbus/device_memory.h"

#include <algorithm>

#include "codec/modbus/function.h"

namespace lightship::poller {

using namespace std::chrono_literals;

namespace {

// A refused point is tried again after 10 minutes, then ever later; what costs nothing, once a day.
constexpr auto kFirstDistance = std::chrono::nanoseconds(10min);
constexpr auto kLongestDistance = std::chrono::nanoseconds(24h);
// A hole that somebody is trying is left to him for so long.
constexpr auto kTryTakes = std::chrono::nanoseconds(1min);

bool same_place(const Hole& a, const Hole& b) {
  return a.space == b.space && a.first == b.first && a.count == b.count;
}

std::string shown(const Hole& hole) {
  const auto what = modbus::name(static_cast<modbus::Function>(hole.space));
  if (hole.count == 0) return fmt::format("{}: no read across {}", what, hole.first);
  const auto why = hole.code > 0 ? fmt::format("exception {}", hole.code) : "no answer";
  return fmt::format("{} {}-{}: {}", what, hole.first, hole.first + hole.count - 1, why);
}

std::chrono::nanoseconds distance_of(unsigned tries) {
  auto distance = kFirstDistance;
  for (unsigned i = 0; i < tries && distance < kLongestDistance; ++i) distance *= 3;
  return std::min(distance, kLongestDistance);
}

}  // namespace

DeviceMemory::DeviceMemory(const DeviceSetup& setup, std::shared_ptr<LearnedStore> store,
                           const Clock& clock)
    : learns_(setup.learns),
      limit_given_(setup.limit_given),
      pause_given_(setup.pause_given),
      given_pause_(setup.pause),
      configured_{setup.limits.max_registers, setup.limits.max_bits},
      store_(std::move(store)),
      model_(store_->model(setup.memory())),
      clock_(clock) {
  points_are(setup.points);
  if (learns_) take_over(true);
  revision_ = model_->revision;
}

void DeviceMemory::points_are(const std::vector<DevicePoint>& points) {
  points_.clear();
  for (const auto& point : points) {
    if (point.where.count > 0) points_.push_back(point.where);
  }
  std::ranges::sort(points_, {}, [](const auto& p) { return std::tuple(p.space, p.address); });
}

void DeviceMemory::take_over(bool at_start) {
  const auto& known = model_->learned;
  if (!limit_given_) {
    limit_[0] = known.max_registers;
    limit_[1] = known.max_bits;
  }
  const auto now = clock_.mono();
  for (const auto& hole : known.holes) {
    if (hole.of_points && !at_start) continue;  // asks for itself
    const bool mine = std::ranges::any_of(holes_, [&](const auto& one) {
      return one.space == hole.space && one.first == hole.first && one.count == hole.count;
    });
    if (mine) continue;
    holes_.push_back(hole);
    distances_.push_back({hole.of_points ? MonoTime{} : now + kLongestDistance, 0});
  }
  for (auto& due : limit_due_) due = now + kLongestDistance;
}

void DeviceMemory::narrow(PlanLimits& limits) const {
  if (limit_[0]) limits.max_registers = std::min(limits.max_registers, *limit_[0]);
  if (limit_[1]) limits.max_bits = std::min(limits.max_bits, *limit_[1]);
}

bool DeviceMemory::has_news() {
  if (revision_ == model_->revision) return false;
  revision_ = model_->revision;
  if (!learns_) return false;
  take_over(false);
  return true;
}

void DeviceMemory::tell_model(std::string why) {
  model_->learned.why = std::move(why);
  store_->changed(*model_);
  revision_ = model_->revision;
}

bool DeviceMemory::may_search(const Block& block, MonoTime now) const {
  if (!learns_ || full_ || model_->searching) return false;
  return std::ranges::none_of(in_vain_, [&](const Vain& one) {
    return one.space == block.space && one.first == block.first && one.count == block.count &&
           now < one.distance.due;
  });
}

void DeviceMemory::searched_in_vain(const Block& block, MonoTime now) {
  auto known = std::ranges::find_if(in_vain_, [&](const Vain& one) {
    return one.space == block.space && one.first == block.first && one.count == block.count;
  });
  if (known == in_vain_.end()) {
    if (in_vain_.size() >= kMostHoles) in_vain_.erase(in_vain_.begin());
    in_vain_.push_back({block.space, block.first, block.count, {}});
    known = std::prev(in_vain_.end());
  }
  known->distance.due = now + distance_of(known->distance.tries++);
}

// Holes of points that touch each other and are refused alike become one, as long as it can be
// asked for in one read.
void DeviceMemory::join_neighbours() {
  auto& known = model_->learned.holes;
  for (std::size_t i = 0; i < holes_.size(); ++i) {
    for (std::size_t j = 0; j < holes_.size(); ++j) {
      auto& left = holes_[i];
      const auto right = holes_[j];
      const auto together = std::uint32_t{left.count} + right.count;
      if (i == j || !left.of_points || !right.of_points || left.space != right.space ||
          left.code != right.code || std::uint32_t{left.first} + left.count != right.first ||
          together > (is_bits(left.space) ? 2000u : 125u))
        continue;
      (void)forget(model_->learned, left);
      (void)forget(model_->learned, right);
      left.count = static_cast<std::uint16_t>(together);
      if (known.size() < kMostHoles) known.push_back(left);
      holes_.erase(holes_.begin() + static_cast<std::ptrdiff_t>(j));
      distances_.erase(distances_.begin() + static_cast<std::ptrdiff_t>(j));
      i = j < i ? i - 1 : i;
      j = static_cast<std::size_t>(-1);  // from the beginning, for the hole that has grown
    }
  }
}

bool DeviceMemory::found(Hole hole) {
  if (!learns_) return false;
  if (holes_.size() >= kMostHoles) join_neighbours();
  if (holes_.size() >= kMostHoles) {
    tell_full_ = tell_full_ || !full_;
    full_ = true;
    return false;
  }
  hole.since = hole.found = clock_.now();
  holes_.push_back(hole);
  const auto now = clock_.mono();
  distances_.push_back({now + (hole.of_points ? kFirstDistance : kLongestDistance), 0});
  (void)remember(model_->learned, hole, clock_.now());
  tell_model(shown(hole));
  return true;
}

void DeviceMemory::limit_is(Space space, std::uint16_t most) {
  if (!learns_limits()) return;
  const bool bits = is_bits(space);
  limit_[bits] = most;
  (bits ? model_->learned.max_bits : model_->learned.max_registers) = most;
  limit_due_[bits] = clock_.mono() + kLongestDistance;
  tell_model(fmt::format("not more than {} {} in one answer", most, bits ? "bits" : "registers"));
}

void DeviceMemory::pause_is(Duration pause) {
  if (!learns_ || pause_given_) return;
  model_->learned.pause = pause;
  tell_model(fmt::format("requests fail unless {} of silence come before them", for_people(pause)));
}

std::optional<PlanPoint> DeviceMemory::read_over(const Hole& hole) const {
  if (hole.of_points) return PlanPoint{hole.space, hole.first, hole.count};
  const std::uint32_t end = std::uint32_t{hole.first} + hole.count;
  const PlanPoint *left = nullptr, *right = nullptr;
  for (const auto& point : points_) {
    if (point.space != hole.space) continue;
    if (std::uint32_t{point.address} + point.count == hole.first) left = &point;
    if (point.address == end && right == nullptr) right = &point;
  }
  if (left == nullptr || right == nullptr) return std::nullopt;
  return PlanPoint{hole.space, left->address,
                   static_cast<std::uint16_t>(right->address + right->count - left->address)};
}

std::optional<DeviceMemory::Retry> DeviceMemory::retry(MonoTime now) {
  for (std::size_t i = 0; i < holes_.size(); ++i) {
    if (distances_[i].due > now) continue;
    const auto read = read_over(holes_[i]);
    if (!read) continue;
    distances_[i].due = now + kTryTakes;
    return Retry{holes_[i], *read};
  }
  return std::nullopt;
}

void DeviceMemory::retried(const Hole& tried, bool served, MonoTime now) {
  const auto known =
      std::ranges::find_if(holes_, [&](const auto& one) { return same_place(one, tried); });
  if (known == holes_.end()) return;
  const auto which = static_cast<std::size_t>(known - holes_.begin());
  const auto hole = *known;
  if (!served) {
    auto& distance = distances_[which];
    distance.due = now + (hole.of_points ? distance_of(distance.tries) : kLongestDistance);
    ++distance.tries;
    (void)remember(model_->learned, hole, clock_.now());
    confirmed();
    return;
  }
  full_ = false;
  holes_.erase(holes_.begin() + static_cast<std::ptrdiff_t>(which));
  distances_.erase(distances_.begin() + static_cast<std::ptrdiff_t>(which));
  if (forget(model_->learned, hole)) tell_model("served again: " + shown(hole));
  // A device that has come to itself, or has new firmware, may serve the others as well.
  for (std::size_t i = 0; i < holes_.size(); ++i) {
    if (holes_[i].of_points) distances_[i].due = {};
  }
}

// Neighbouring points, just longer than the limit.
std::optional<PlanPoint> DeviceMemory::longer_read(MonoTime now) {
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const auto space = points_[i].space;
    const bool bits = is_bits(space);
    if (!limit_[bits] || now < limit_due_[bits]) continue;
    std::uint32_t end = points_[i].address;
    for (std::size_t j = i; j < points_.size() && points_[j].space == space; ++j) {
      if (points_[j].address > end) break;
      end = std::max(end, std::uint32_t{points_[j].address} + points_[j].count);
      const auto length = end - points_[i].address;
      if (length > configured_[bits]) break;
      if (length <= *limit_[bits]) continue;
      limit_due_[bits] = now + kTryTakes;
      return PlanPoint{space, points_[i].address, static_cast<std::uint16_t>(length)};
    }
  }
  return std::nullopt;
}

bool DeviceMemory::longer_read_done(Space space, bool served, MonoTime now) {
  const bool bits = is_bits(space);
  limit_due_[bits] = now + kLongestDistance;
  if (!limit_[bits]) return false;
  if (!served) {
    confirmed();
    return false;
  }
  const auto what =
      fmt::format("more than {} {} are answered again", *limit_[bits], bits ? "bits" : "registers");
  limit_[bits].reset();
  (bits ? model_->learned.max_bits : model_->learned.max_registers).reset();
  tell_model(what);
  return true;
}

// What is found to be still so is not forgotten with time.
void DeviceMemory::confirmed() {
  if (clock_.now() > model_->learned.found + kLongestDistance) store_->changed(*model_);
  revision_ = model_->revision;
}

void DeviceMemory::try_again_now() {
  for (auto& distance : distances_) distance.due = {};
  for (auto& due : limit_due_) due = {};
  in_vain_.clear();
}

void DeviceMemory::describe(JsonWriter& json, Duration pause) const {
  json.begin_object();
  json.member("learns", learns_);
  json.key("max_registers");
  if (limit_[0])
    json.value(*limit_[0]);
  else
    json.null();
  json.key("max_bits");
  if (limit_[1])
    json.value(*limit_[1]);
  else
    json.null();
  json.member("pause_ms", to_ms(pause));
  json.key("locked").begin_array();
  if (limit_given_) json.value("max_registers");
  if (pause_given_) json.value("pause_after_answer");
  json.end_array();
  json.key("holes").begin_array();
  for (const auto& hole : holes_) {
    json.begin_object().member("function", static_cast<int>(hole.space));
    json.member("first", hole.first).member("count", hole.count);
    json.member("points", hole.of_points).member("code", hole.code);
    json.member("since", to_rfc3339(hole.since)).member("why", shown(hole)).end_object();
  }
  json.end_array();
  json.key("since");
  if (model_->learned.since == Time{})
    json.null();
  else
    json.value(to_rfc3339(model_->learned.since));
  json.member("why", model_->learned.why);
  json.end_object();
}

}  // namespace lightship::poller
