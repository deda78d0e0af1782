// For tests: a simulated device made from a meter of the registry, SunSpec's chain included.
#pragma once

#include "sim/register_meter.h"
#include "sources/modbus/meters.h"
#include "sources/modbus/sunspec.h"

namespace lightship::poller {

inline sim::SimPoint sim_point(const std::string& name, const RegisterConfig& c,
                               std::uint16_t from = 0) {
  return {name,
          c.unit,
          c.function == 4 ? modbus::Space::input_registers : modbus::Space::holding_registers,
          static_cast<std::uint16_t>(from + c.address),
          point_spec(c),
          c.scale_register,
          c.alone};
}

// Where a SunSpec device has its models: behind `base`, and behind another one, of no meter, with
// so many registers.
struct SunspecLayout {
  std::uint16_t base = kSunspecBases.front();
  std::uint16_t other_model = 0;
};

inline std::shared_ptr<sim::RegisterMeter> simulated(const MeterConfig& meter, const Meters& meters,
                                                     const Clock& clock,
                                                     const SunspecLayout& layout = {}) {
  sim::RegisterMeter::Traits traits;
  traits.max_registers = meter.limits.max_registers.value_or(125);
  std::vector<sim::SimPoint> points;
  if (!meter.sunspec) {
    for (const auto& [name, c] : meter.registers) points.push_back(sim_point(name, c));
    return std::make_shared<sim::RegisterMeter>(std::move(points), traits, clock);
  }
  struct Header {
    std::uint16_t at, id, length;
  };
  std::vector<Header> headers;
  auto at = static_cast<std::uint16_t>(layout.base + 2);
  const auto append = [&](const MeterConfig& model, bool with_points) {
    std::uint16_t end = 2;
    for (const auto& [name, c] : model.registers) {
      end = std::max<std::uint16_t>(end, c.address + wire_count(c));
      if (with_points && name != "model_id" && name != "model_length")
        points.push_back(sim_point(name, c, at));
    }
    headers.push_back({at, model.sunspec->models.front(), static_cast<std::uint16_t>(end - 2)});
    at = static_cast<std::uint16_t>(at + end);
  };
  append(*meters.find("sunspec_1"), true);
  if (layout.other_model > 0) {
    headers.push_back({at, 64'001, layout.other_model});
    at = static_cast<std::uint16_t>(at + 2 + layout.other_model);
  }
  const auto& subject = *meters.parts_of(meter).back();
  if (subject.id != "sunspec_1") append(subject, true);
  auto device = std::make_shared<sim::RegisterMeter>(std::move(points), traits, clock);
  const auto space = modbus::Space::holding_registers;
  device->set(space, layout.base, {0x5375, 0x6E53});
  for (const auto& header : headers) device->set(space, header.at, {header.id, header.length});
  device->set(space, at, {0xFFFF, 0});
  return device;
}

}  // namespace lightship::poller
