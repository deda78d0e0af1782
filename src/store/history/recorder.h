// The recorder: readings become raw blocks and roll-ups, on the field loop, without touching a
// disk.
//
// Each device's points are laid out in groups of up to 256, in the order of the catalog and with
// `online` as one more; a group has one open minute. A reading costs a few dozen nanoseconds and
// nothing is kept of it but its bytes in the group's raw block and its part in the open window.
#pragma once

#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "core/event.h"
#include "store/history/batch.h"
#include "store/history/counter.h"
#include "store/history/raw_block.h"
#include "store/history/rollup_code.h"
#include "store/history/window.h"

namespace lightship::history {

struct RecorderSettings {
  bool store_raw = true;
  bool on_change = false;                              // raw values only when they have moved
  double deadband = 0;                                 // by more than this, in the unit of each
  Duration at_least_every = std::chrono::minutes(15);  // but as often as this
  Duration thinned_to = std::chrono::minutes(1);       // raw values while the budget is spent
};

class Recorder {
 public:
  // Its groups are numbered from `first_group` on: of two recorders none has a number of the other.
  Recorder(const Catalog& catalog, RecorderSettings settings, std::uint32_t first_group = 0);

  void take(const Readings& readings);

  // Closes the windows that ended before `now`; of a device that says nothing more, too.
  void sweep(Time now);
  // Closes all windows as they are; the rest of each follows in another roll-up of the same window.
  void close_all(Time now);
  // What is finished; with the raw blocks that are open.
  Batch take_batch();
  // All groups so far, for a writer that does not know them.
  std::vector<std::pair<std::uint32_t, std::shared_ptr<const Layout>>> layouts() const;

  // Where counters stood before, as the writer found it; those that have counted already pass over
  // it but for what came between.
  void resume(const std::vector<CounterLevel>& levels);

  // The catalog has another unit for a point than when it was laid out: another recorder has to go
  // on, and new series begin.
  bool is_outdated() const;
  std::uint32_t first_group() const { return first_group_; }
  std::uint32_t next_group() const {
    return first_group_ + static_cast<std::uint32_t>(groups_.size());
  }

  std::size_t pending_bytes() const;  // of raw blocks and roll-ups
  void thin(bool on) { thinned_ = on; }

  std::size_t points() const { return points_.size(); }
  std::uint64_t values() const { return values_; }    // raw values stored
  std::uint64_t rollups() const { return rollups_; }  // minute roll-ups made
  std::uint64_t late() const { return late_; }
  std::uint64_t clock_steps() const { return clock_steps_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kNoCounter = (1U << 30) - 1;
  // One for each of maybe 100,000 points: 72 bytes.
  struct Point {
    Window window;
    PointId id{kNone};  // kNone: the device's `online`
    Kind kind : 2 = Kind::gauge;
    std::uint32_t counter : 30 = kNoCounter;
  };
  // The newest raw value of a point, for the dead band.
  struct Stored {
    double value = 0;
    Reason reason = Reason::stale;
    Millis at = INT64_MIN / 2;
  };
  struct Group {
    DeviceId device{};
    std::uint32_t first = 0, count = 0;  // of points_
    bool raw = true;
    Duration hold{};
    Time open{};    // of the minute
    Time newest{};  // time of the newest event
    MonoTime newest_mono{};
    Millis thinned_at = INT64_MIN / 2;
    std::size_t units = 0;  // what they were, as one number
    RawBlock block{0};
  };
  struct Counter {
    CounterJudge judge;
    double increase = 0;  // in the open window
  };
  struct Device {
    bool known = false;
    Keep keep = Keep::raw;
    std::uint32_t online = kNone;  // the place of its `online`
    std::uint32_t power = kNone;   // of active_power_total
    std::vector<std::uint32_t> groups;
  };

  Device& device(const Readings& readings);
  void lay_out(Device& device, DeviceId id, const std::vector<PointId>& points, bool with_online,
               const Readings& readings);
  std::uint32_t group_of(std::uint32_t place) const;
  std::size_t with_unit(std::size_t units, const Point& point) const;
  Layout::Member member(const Point& point, DeviceId device) const;
  void put(Group& group, std::uint32_t place, const Reading& reading, Time at, bool raw,
           double power);
  void count(Group& group, std::uint32_t place, Time at, double value, Format format, double power);
  bool wants_raw(std::uint32_t place, Millis at, const Value& value, Reason reason);
  void advance(Group& group, Time at);
  void close(Group& group, Time end);

  const Catalog& catalog_;
  RecorderSettings settings_;
  std::uint32_t first_group_;
  std::vector<Device> devices_;        // by DeviceId
  std::vector<std::uint32_t> places_;  // by PointId
  std::vector<Point> points_;
  std::vector<Stored> stored_;  // as points_; empty where every raw value is stored
  std::vector<Counter> counters_;
  std::vector<Group> groups_;
  Batch batch_;
  std::size_t batch_bytes_ = 0;
  bool thinned_ = false;
  std::uint64_t values_ = 0, rollups_ = 0, late_ = 0, clock_steps_ = 0;
};

}  // namespace lightship::history
