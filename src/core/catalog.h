// The Catalog: every device and point by name, interned as small integers that never change
// meaning.
//
// A device that leaves the configuration is retired, not forgotten: its number stays its own, so
// that a reload which brings it back finds its history, counters and sequence. Field loop only.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/name_pool.h"
#include "core/point.h"
#include "core/register_image.h"

namespace lightship {

// How often a device's values are sent by one kind of sink.
struct Publishing {
  bool enabled = false;
  Duration interval{};
  bool on_change = false;  // also as soon as a value moves by more than the dead band
  double deadband = 0;     // in the unit of each value
  friend bool operator==(const Publishing&, const Publishing&) = default;
};

// What of a device's values goes into the history: all and the roll-ups, the roll-ups, nothing.
enum class Keep : std::uint8_t { raw, rollup, none };

struct DeviceInfo {
  std::string connection;  // connection id
  std::string client;      // client id
  std::string label;
  std::string type = "default";  // selects topics and endpoints
  std::string model;
  std::uint8_t unit = 0;  // on its line
  Duration poll_interval{};
  Publishing http, mqtt;
  bool exposed = false;             // answered for by the Modbus TCP gateway ...
  std::uint8_t gateway_unit = 0;    // ... under this unit id
  std::optional<Duration> max_age;  // ... when not older than this (and the gateway's cache_ttl)
  Keep history = Keep::raw;
  bool allow_write = false;  // writes are let through to it

  std::string id() const { return connection + "/" + client; }
  friend bool operator==(const DeviceInfo&, const DeviceInfo&) = default;
};

struct PointInfo {
  DeviceId device{};
  std::uint32_t slot = 0;  // its place among the device's points
  Name name;               // within the device: voltage_l1
  Name unit;               // V; empty where there is none
  // Where it stands in the device's registers; count 0 where that means nothing.
  RegisterImage::Range registers{Space::holding, 0, 0};
  Duration interval{};  // between two readings of it, where that is not the device's poll_interval
};

class Catalog {
 public:
  // The device's number; its description is replaced when it is known already. Its points are those
  // named until the next `device` call for it: see `retire_points`.
  DeviceId device(DeviceInfo info);
  void retire(DeviceId id);

  // Appends or updates a point of the device.
  PointId point(DeviceId device, std::string_view name, std::string_view unit = {},
                RegisterImage::Range registers = {Space::holding, 0, 0});
  // How often the point is read; 0: as often as its device.
  void set_interval(PointId point, Duration interval) { points_[index(point)].interval = interval; }
  // The device's points are now exactly these, in this order.
  void set_points(DeviceId device, std::vector<PointId> points);

  const DeviceInfo& info(DeviceId id) const { return devices_[index(id)].info; }
  const PointInfo& info(PointId id) const { return points_[index(id)]; }
  const std::vector<PointId>& points(DeviceId id) const { return devices_[index(id)].points; }
  bool retired(DeviceId id) const { return devices_[index(id)].retired; }

  std::optional<DeviceId> find_device(std::string_view id) const;  // "main-panel/meter-1"
  std::optional<PointId> find_point(
      std::string_view full_name) const;  // "main-panel/meter-1/voltage_l1"
  std::string full_name(PointId id) const;

  std::vector<DeviceId> devices() const;  // those not retired, in the order they came
  std::size_t device_count() const { return devices_.size(); }
  std::size_t point_count() const { return points_.size(); }  // retired ones too

 private:
  struct Device {
    DeviceInfo info;
    std::vector<PointId> points;
    std::vector<PointId> by_name;  // sorted by it; a map would take 20 times the room
    bool retired = false;
  };
  // Where a point of this name stands in the owner's `by_name`, or would stand.
  std::vector<PointId>::const_iterator place_of(const Device& owner, std::string_view name) const;
  bool is_at(const Device& owner, std::vector<PointId>::const_iterator place,
             std::string_view name) const {
    return place != owner.by_name.end() && points_[index(*place)].name == name;
  }

  std::deque<Device> devices_;
  std::deque<PointInfo> points_;
  NamePool names_;
  std::map<std::string, DeviceId, std::less<>> by_id_;
};

}  // namespace lightship
