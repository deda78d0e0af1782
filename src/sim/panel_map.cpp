// How the plant behaves.
#include "sim/panel_map.h"

#include <cmath>

#include "sim/meter_model.h"

namespace lightship::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSetPoint = 20;

}  // namespace

PanelMap::PanelMap(PanelTraits traits, const Clock& clock)
    : MemoryMap(kSize), traits_(traits), clock_(clock), started_(clock.now()) {
  holding[kSetPoint] = static_cast<std::uint16_t>(std::lround(traits.set_point * 10));
  objects = {{0, "Lightship"}, {1, "panel"}, {2, "simulated"}};
}

std::optional<modbus::Exception> PanelMap::read(modbus::Space space, std::uint16_t address,
                                                modbus::Bits& bits) {
  refresh();
  return MemoryMap::read(space, address, bits);
}

std::optional<modbus::Exception> PanelMap::read(modbus::Space space, std::uint16_t address,
                                                std::span<std::uint16_t> registers) {
  refresh();
  return MemoryMap::read(space, address, registers);
}

void PanelMap::refresh() {
  const auto now = clock_.now();
  const auto seed = 1000 + traits_.seed * 8;
  const double demand = wobble(seed, now, 20s);
  const double set_point = holding[kSetPoint] / 10.0;
  const double temperature =
      set_point + 2.5 * wobble(seed + 1, now, 30s) + 0.2 * wobble(seed + 2, now, 2s);
  const bool fault = wobble(seed + 3, now, 45s) > 0.85;
  const bool running = !fault && demand > -0.5;
  const double hours =
      traits_.run_hours + std::chrono::duration<double, std::ratio<3600>>(now - started_).count();

  holding[0] = static_cast<std::uint16_t>(std::lround(temperature * 10));
  holding[1] = static_cast<std::uint16_t>(std::lround(100 * (running ? 3.2 + 0.4 * demand : 1.1)));
  holding[2] = static_cast<std::uint16_t>((wobble(seed + 4, now, 15s) > 0.6 ? 1 : 0) | 2);
  holding[3] = static_cast<std::uint16_t>(!running ? 0 : temperature < set_point ? 1 : 2);
  const auto whole = static_cast<std::uint32_t>(hours);
  input[10] = static_cast<std::uint16_t>(whole >> 16);
  input[11] = static_cast<std::uint16_t>(whole);
  coils[0] = running;
  coils[1] = fault;
}

}  // namespace lightship::sim
