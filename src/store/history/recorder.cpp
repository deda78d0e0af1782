// Readings to blocks.
#include "store/history/recorder.h"

#include <algorithm>
#include <cmath>

#include "core/measurement.h"

namespace lightship::history {

using namespace std::chrono_literals;

namespace {

constexpr Duration kMinute = 60s;
// A clock that differs from the steady one by more was set.
constexpr Duration kClockStep = 2s;

Time minute_of(Time at) { return from_millis(floor_to(to_millis(at), window_of(Tier::minute))); }

}  // namespace

Recorder::Recorder(const Catalog& catalog, RecorderSettings settings, std::uint32_t first_group)
    : catalog_(catalog), settings_(std::move(settings)), first_group_(first_group) {}

std::size_t Recorder::with_unit(std::size_t units, const Point& point) const {
  const auto unit = point.id == PointId{kNone} ? std::string() : catalog_.info(point.id).unit.str();
  return units * 31 + std::hash<std::string_view>{}(unit);
}

bool Recorder::is_outdated() const {
  return std::ranges::any_of(groups_, [this](const Group& group) {
    std::size_t units = 0;
    for (auto i = group.first; i < group.first + group.count; ++i)
      units = with_unit(units, points_[i]);
    return units != group.units;
  });
}

Recorder::Device& Recorder::device(const Readings& readings) {
  if (index(readings.device) >= devices_.size()) devices_.resize(index(readings.device) + 1);
  auto& device = devices_[index(readings.device)];
  if (!device.known) {
    device.known = true;
    const auto& info = catalog_.info(readings.device);
    device.keep = info.history;
    if (device.keep != Keep::none)
      lay_out(device, readings.device, catalog_.points(readings.device), true, readings);
  }
  if (device.keep == Keep::none) return device;
  // Points that a reload has added.
  std::vector<PointId> fresh;
  for (const auto& reading : readings.readings) {
    const auto at = index(reading.point);
    if (at >= places_.size() || places_[at] == kNone) fresh.push_back(reading.point);
  }
  if (!fresh.empty()) lay_out(device, readings.device, fresh, false, readings);
  return device;
}

void Recorder::lay_out(Device& device, DeviceId id, const std::vector<PointId>& points,
                       bool with_online, const Readings& readings) {
  const auto& info = catalog_.info(id);
  // Room for all that may come, so that a list does not double and leave its old places behind.
  std::size_t expected = 0;
  for (const auto other : catalog_.devices()) expected += catalog_.points(other).size() + 1;
  if (expected > points_.capacity()) points_.reserve(expected);
  if (expected > places_.capacity()) places_.reserve(expected);
  std::shared_ptr<Layout> layout;
  const auto add = [&](PointId about, std::string_view unit, Kind kind) {
    if (!layout || layout->members.size() == kMostMembers) {
      layout = std::make_shared<Layout>();
      Group group;
      group.device = id;
      group.first = static_cast<std::uint32_t>(points_.size());
      group.raw = settings_.store_raw && device.keep == Keep::raw;
      group.hold = stale_after(info);
      group.open = group.newest = minute_of(readings.at);
      group.newest_mono = readings.arrived;
      device.groups.push_back(static_cast<std::uint32_t>(groups_.size()));
      batch_.layouts.emplace_back(next_group(), layout);
      groups_.push_back(std::move(group));
    }
    auto& group = groups_.back();
    ++group.count;
    if (group.raw) group.block = RawBlock(group.count);
    Point point;
    point.kind = kind;
    point.id = about;
    if (kind == Kind::counter) {
      point.counter = static_cast<std::uint32_t>(counters_.size()) & kNoCounter;
      counters_.push_back({CounterJudge(unit_hours(unit)), 0});
    }
    points_.push_back(point);
    group.units = with_unit(group.units, point);
    if (settings_.on_change) stored_.emplace_back();
    layout->members.push_back(member(point, id));
    return static_cast<std::uint32_t>(points_.size() - 1);
  };
  for (const auto point : points) {
    if (index(point) >= places_.size()) places_.resize(index(point) + 1, kNone);
    const auto& about = catalog_.info(point);
    const auto read = std::ranges::find(readings.readings, point, &Reading::point);
    const auto kind =
        kind_of(about.name, about.unit, read == readings.readings.end() ? Value{} : read->value);
    const auto place = add(point, about.unit, kind);
    places_[index(point)] = place;
    if (about.name == "active_power_total" ||
        (about.name == "active_power" && device.power == kNone))
      device.power = place;
  }
  if (with_online && !catalog_.find_point(info.id() + "/online"))
    device.online = add(PointId{kNone}, "", Kind::state);
}

Layout::Member Recorder::member(const Point& point, DeviceId device) const {
  if (point.id == PointId{kNone}) return {catalog_.info(device).id() + "/online", "", point.kind};
  return {catalog_.full_name(point.id), catalog_.info(point.id).unit.str(), point.kind};
}

std::vector<std::pair<std::uint32_t, std::shared_ptr<const Layout>>> Recorder::layouts() const {
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const Layout>>> all;
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    auto layout = std::make_shared<Layout>();
    for (auto p = groups_[i].first; p < groups_[i].first + groups_[i].count; ++p)
      layout->members.push_back(member(points_[p], groups_[i].device));
    all.emplace_back(first_group_ + i, std::move(layout));
  }
  return all;
}

std::uint32_t Recorder::group_of(std::uint32_t place) const {
  const auto after = std::ranges::upper_bound(groups_, place, {}, &Group::first);
  return static_cast<std::uint32_t>(after - groups_.begin()) - 1;
}

void Recorder::take(const Readings& readings) {
  auto& to = device(readings);
  if (to.keep == Keep::none) return;
  const auto at = readings.at;
  double power = std::numeric_limits<double>::quiet_NaN();
  if (to.power != kNone && points_[to.power].window.holds())
    power = points_[to.power].window.last();

  Group* group = nullptr;
  bool raw = false;
  const auto enter = [&](std::uint32_t place) {
    if (group != nullptr && place >= group->first && place < group->first + group->count) return;
    if (raw) group->block.end_row();
    group = &groups_[group_of(place)];
    const auto steady = std::chrono::duration_cast<Duration>(readings.arrived - group->newest_mono);
    if (group->newest + steady - at > kClockStep) {
      // The clock was set back: what was open is closed as it is, and a new segment begins.
      ++clock_steps_;
      close(*group, group->newest);
      for (auto i = group->first; i < group->first + group->count; ++i)
        points_[i].window.restart(at);
      group->open = minute_of(at);
      group->newest = at;
    }
    advance(*group, at);
    late_ += at < group->newest ? 1 : 0;
    group->newest = std::max(group->newest, at);
    group->newest_mono = readings.arrived;
    raw = group->raw;
    if (raw && thinned_) {
      raw = to_millis(at) - group->thinned_at >= settings_.thinned_to / 1ms;
      if (raw) group->thinned_at = to_millis(at);
    }
    if (raw) group->block.begin_row(to_millis(at));
  };
  // Rows need rising members; sources mostly give them so.
  bool rising = true;
  std::uint32_t before = 0;
  for (const auto& reading : readings.readings) {
    const auto place = places_[index(reading.point)];
    rising = rising && place >= before;
    before = place;
  }
  if (rising) {
    for (const auto& reading : readings.readings) {
      const auto place = places_[index(reading.point)];
      enter(place);
      put(*group, place, reading, at, raw, power);
    }
  } else {
    std::vector<const Reading*> sorted;
    for (const auto& reading : readings.readings) sorted.push_back(&reading);
    std::ranges::stable_sort(sorted, {},
                             [&](const Reading* r) { return places_[index(r->point)]; });
    for (const auto* reading : sorted) {
      const auto place = places_[index(reading->point)];
      enter(place);
      put(*group, place, *reading, at, raw, power);
    }
  }
  if (to.online != kNone) {
    enter(to.online);
    put(*group, to.online, {PointId{}, readings.online, Reason::none, 0}, at, raw, power);
  }
  if (raw) group->block.end_row();
}

bool Recorder::wants_raw(std::uint32_t place, Millis at, const Value& value, Reason reason) {
  if (!settings_.on_change) return true;
  auto& stored = stored_[place];
  const double number = as_double(value);
  const bool moved =
      reason != stored.reason ||
      (reason == Reason::none && (std::isnan(number) || std::isnan(stored.value) ||
                                  std::fabs(number - stored.value) > settings_.deadband));
  if (!moved && at - stored.at < settings_.at_least_every / 1ms && at >= stored.at) return false;
  stored.value = number;
  stored.reason = reason;
  stored.at = at;
  return true;
}

void Recorder::put(Group& group, std::uint32_t place, const Reading& reading, Time at, bool raw,
                   double power) {
  auto& point = points_[place];
  const double number = as_double(reading.value);
  const bool text = std::holds_alternative<std::string>(reading.value);
  const bool good = reading.reason == Reason::none && (text || std::isfinite(number));
  const auto reason = good                             ? Reason::none
                      : reading.reason == Reason::none ? Reason::not_available
                                                       : reading.reason;
  if (good && !text) {
    auto format = format_of(reading.value);
    if (format == Format::truth || format == Format::u64) format = Format::i64;
    point.window.good(at, number, format, group.open, group.hold);
    if (point.counter != kNoCounter) count(group, place, at, number, format, power);
  } else if (!good) {
    point.window.bad(at, reason, reading.code, group.hold);
  }
  if (!raw || !wants_raw(place, to_millis(at), reading.value, reason)) return;
  group.block.add(place - group.first, reading.value, reason, reading.code);
  ++values_;
}

void Recorder::count(Group& group, std::uint32_t place, Time at, double value, Format format,
                     double power) {
  auto& counter = counters_[points_[place].counter];
  const auto verdict = counter.judge.read(to_millis(at), value, format, power);
  counter.increase += verdict.increase;
  if (verdict.event && batch_.events.size() < 1000) {
    const auto number = first_group_ + static_cast<std::uint32_t>(&group - groups_.data());
    batch_.events.push_back({number, place - group.first, *verdict.event});
  }
}

void Recorder::advance(Group& group, Time at) {
  // What held may reach over some minutes without a reading; after that there is nothing to say.
  for (int i = 0; at >= group.open + kMinute; ++i) {
    if (i > 0 && group.open > group.newest + group.hold) {
      group.open = minute_of(at);
      break;
    }
    close(group, group.open + kMinute);
    group.open += kMinute;
  }
}

void Recorder::close(Group& group, Time end) {
  RollupBlock block;
  Rollup rollup;
  for (auto i = group.first; i < group.first + group.count; ++i) {
    auto& point = points_[i];
    if (!point.window.close(group.open, end, group.hold, rollup)) continue;
    if (point.counter != kNoCounter)
      rollup.increase = std::exchange(counters_[point.counter].increase, 0);
    block.add(i - group.first, rollup);
  }
  if (block.empty()) return;
  rollups_ += block.rows();
  const auto number = first_group_ + static_cast<std::uint32_t>(&group - groups_.data());
  const auto rows = block.rows();
  batch_.blocks.push_back({Tier::minute, number, floor_to(to_millis(group.open), 60'000),
                           to_millis(end) + (end < group.open + kMinute ? 1 : 0), rows,
                           block.take()});
  batch_bytes_ += batch_.blocks.back().bytes.size();
}

void Recorder::sweep(Time now) {
  for (auto& group : groups_) {
    if (now >= group.open + kMinute) advance(group, now);
  }
}

void Recorder::close_all(Time now) {
  for (auto& group : groups_) {
    const auto end = std::clamp(now, group.open, group.open + kMinute);
    advance(group, end);
    close(group, end);
    // The rest of this minute is another part of it.
  }
}

Batch Recorder::take_batch() {
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    auto& block = groups_[i].block;
    if (block.empty()) continue;
    Batch::Block out{Tier::raw, first_group_ + i, block.base(), block.last(), block.values(), {}};
    out.bytes = block.take();
    batch_.blocks.push_back(std::move(out));
  }
  batch_bytes_ = 0;
  return std::exchange(batch_, {});
}

void Recorder::resume(const std::vector<CounterLevel>& levels) {
  for (const auto& level : levels) {
    const auto group = level.group - first_group_;
    if (level.group < first_group_ || group >= groups_.size() ||
        level.member >= groups_[group].count)
      continue;
    const auto& point = points_[groups_[group].first + level.member];
    if (point.counter == kNoCounter) continue;
    auto& counter = counters_[point.counter];
    counter.increase += counter.judge.resume(level.at, level.value);
  }
}

std::size_t Recorder::pending_bytes() const {
  std::size_t sum = batch_bytes_;
  for (const auto& group : groups_) sum += group.block.size();
  return sum;
}

}  // namespace lightship::history
