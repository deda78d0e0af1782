// What the configuration says of a device, worked out: the input of plan, catalog and poller.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/shared_list.h"
#include "codec/modbus/decode_value.h"
#include "core/catalog.h"
#include "sources/modbus/plan.h"
#include "sources/modbus/sunspec.h"
#include "sources/modbus/write_rule.h"

namespace lightship::poller {

// How sure the place of a register is; nothing where nobody says so.
constexpr std::array<std::string_view, 5> kConfidences{"", "multi", "single", "model",
                                                       "convention"};

// A point with all that is needed to read and decode it.
struct DevicePoint {
  std::string name, unit;
  PlanPoint where;
  modbus::PointSpec spec;
  std::string scale_register;              // name of the point that holds the power of ten
  std::vector<SunspecPlace> sunspec = {};  // where it stands in the models of a SunSpec device
  // Nothing for the many points that say nothing of writing.
  std::shared_ptr<const WriteRule> write = nullptr;
  Duration interval{};  // of its poll group; 0: the device's
  bool alarm = false;
  std::uint8_t confidence = 0;  // how sure its place is: of kConfidences

  const WriteRule& rule() const {
    static const WriteRule kNone;
    return write ? *write : kNone;
  }
  friend bool operator==(const DevicePoint&, const DevicePoint&) = default;
};

struct DeviceSetup {
  DeviceInfo info;
  SharedList<DevicePoint> points;  // the devices of one model look at the same; `own()` to change
  std::string profile = {};        // of its meter
  std::string model_name = {};     // what stands on its meter: "Schneider EM6400"
  PlanLimits limits;
  Duration pause{};
  unsigned in_flight = 1;
  int answers_as = -1;
  // Learning: switched off for the device, or not for what the configuration says.
  bool learns = true;
  bool limit_given = false, pause_given = false;
  std::vector<std::uint16_t> sunspec_bases = {};  // where its chain of models may begin
  bool allow_write = false;
  unsigned max_writes_per_minute = 0;                         // 0: no limit
  bool is_sunspec() const { return !sunspec_bases.empty(); }  // points are resolved: sunspec.h
  // Whose memory it shares: its model, or its own name.
  std::string memory() const { return info.model.empty() ? info.id() : info.model; }
};

}  // namespace lightship::poller
