// The cache: what is true now. Filled before any inlet, read by everybody, bounded by the Catalog.
//
// Field loop only, so it needs no lock; other threads ask the field loop for what they want to
// tell.
#pragma once

#include <memory>
#include <vector>

#include "core/catalog.h"
#include "core/event.h"

namespace lightship {

struct PointState {
  Value value;  // the newest value, or with a reason what was read instead
  Reason reason = Reason::stale;
  std::uint8_t code = 0;
  Time at{};                           // when it arrived from the device
  MonoTime arrived = MonoTime::min();  // min: never

  // What the point was before the reason, for people; nothing while there is no reason.
  struct Good {
    Value value;
    Time at{};
  };
  std::unique_ptr<Good> last_good;
};

struct DeviceState {
  bool heard = false;  // something, good or bad, is known since start
  bool online = false;
  Time at{};
  MonoTime arrived = MonoTime::min();
  Time last_answer{};  // the last time that it was online
  Duration poll{};
  std::vector<PointState> points;  // by PointInfo::slot
};

class Cache {
 public:
  explicit Cache(const Catalog& catalog) : catalog_(catalog) {}

  void apply(const Readings& readings);

  // Time has passed that the steady clock did not count (the machine slept): everything is older.
  void age(Duration by);

  const DeviceState& device(DeviceId id);
  const PointState& point(PointId id);
  RegisterImage& image(DeviceId id);

 private:
  struct Slot {
    DeviceState state;
    RegisterImage image;
  };
  Slot& slot(DeviceId id);

  const Catalog& catalog_;
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace lightship
