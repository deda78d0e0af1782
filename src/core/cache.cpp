// Applies readings to what is known.
#include "core/cache.h"

namespace lightship {
namespace {

// A point keeps its kind of value, and nearly all are numbers: those need no look at the others.
void assign(Value& to, const Value& from) {
  const auto* real = std::get_if<Real>(&from);
  auto* mine = std::get_if<Real>(&to);
  if (real != nullptr && mine != nullptr)
    *mine = *real;
  else
    to = from;
}

}  // namespace

void Cache::apply(const Readings& readings) {
  auto& known = slot(readings.device);
  for (const auto& block : readings.blocks) {
    known.image.store(block.space, block.first, block.count, block.data, block.arrived);
  }
  auto& state = known.state;
  state.heard = true;
  state.online = readings.online;
  state.at = readings.at;
  state.arrived = readings.arrived;
  state.poll = readings.poll;
  if (readings.online) state.last_answer = readings.at;
  const auto& in_order = catalog_.points(readings.device);
  for (std::size_t at = 0; at < readings.readings.size(); ++at) {
    const auto& reading = readings.readings[at];
    // A device mostly tells all its points in their order: then there is nothing to look up.
    const bool ordered = at < in_order.size() && in_order[at] == reading.point;
    const auto place = ordered ? at : catalog_.info(reading.point).slot;
    if (place >= state.points.size()) state.points.resize(place + 1);
    auto& point = state.points[place];
    if (reading.reason == Reason::none)
      point.last_good.reset();
    else if (point.reason == Reason::none)
      point.last_good = std::make_unique<PointState::Good>(std::move(point.value), point.at);
    assign(point.value, reading.value);
    point.reason = reading.reason;
    point.code = reading.code;
    point.at = readings.at;
    point.arrived = readings.arrived;
  }
}

void Cache::age(Duration by) {
  const auto older = [&](MonoTime& arrived) {
    if (arrived != MonoTime::min()) arrived -= by;
  };
  for (const auto& slot : slots_) {
    if (!slot) continue;
    slot->image.age(by);
    older(slot->state.arrived);
    for (auto& point : slot->state.points) older(point.arrived);
  }
}

const DeviceState& Cache::device(DeviceId id) { return slot(id).state; }

const PointState& Cache::point(PointId id) {
  const auto& info = catalog_.info(id);
  auto& state = slot(info.device).state;
  if (info.slot >= state.points.size()) state.points.resize(info.slot + 1);
  return state.points[info.slot];
}

RegisterImage& Cache::image(DeviceId id) { return slot(id).image; }

Cache::Slot& Cache::slot(DeviceId id) {
  if (index(id) >= slots_.size()) slots_.resize(index(id) + 1);
  auto& slot = slots_[index(id)];
  if (!slot) {
    slot = std::make_unique<Slot>();
    slot->state.points.resize(catalog_.points(id).size());
  }
  return *slot;
}

}  // namespace lightship
