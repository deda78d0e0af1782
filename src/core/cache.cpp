// Applies readings to what is known.
#include "core/cache.h"

namespace lightship {

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
  for (const auto& reading : readings.readings) {
    const auto place = catalog_.info(reading.point).slot;
    if (place >= state.points.size()) state.points.resize(place + 1);
    auto& point = state.points[place];
    point.value = reading.value;
    point.reason = reading.reason;
    point.code = reading.code;
    point.at = readings.at;
    point.arrived = readings.arrived;
    if (reading.reason == Reason::none) {
      point.last_good = reading.value;
      point.last_good_at = readings.at;
    }
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
