// A simulated machine panel with registers of its own making: a temperature that is held around a
// set point by a plant that runs and rests, pressure, hours, and a fault now and then.
//
//   holding 0    temperature, int16, 0.1 degrees      coil 0  running
//   holding 1    pressure, uint16, 0.01 bar           coil 1  fault
//   holding 2    bit 0 door open, bit 1 filter dirty
//   holding 3    mode: 0 off, 1 heating, 2 holding
//   holding 20   set point, uint16, 0.1 degrees, may be written
//   input 10-11  run hours, uint32, high word first
#pragma once

#include "base/clock.h"
#include "codec/modbus/server.h"

namespace lightship::sim {

struct PanelTraits {
  double set_point = 62;
  double run_hours = 18'250;
  std::uint32_t seed = 1;
};

class PanelMap final : public modbus::MemoryMap {
 public:
  // `clock` outlives the map.
  PanelMap(PanelTraits traits, const Clock& clock);

  std::optional<modbus::Exception> read(modbus::Space space, std::uint16_t address,
                                        modbus::Bits& bits) override;
  std::optional<modbus::Exception> read(modbus::Space space, std::uint16_t address,
                                        std::span<std::uint16_t> registers) override;

  static constexpr std::size_t kSize = 32;

 private:
  void refresh();

  PanelTraits traits_;
  const Clock& clock_;
  Time started_;
};

}  // namespace lightship::sim
