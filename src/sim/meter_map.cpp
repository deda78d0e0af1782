// Which value stands where.
#include "sim/meter_map.h"

#include <bit>

namespace lightship::sim {
namespace {

struct Window {
  std::uint16_t first, count;
};

constexpr Window window_of(MeterFamily family) {
  return family == MeterFamily::schneider_em6400 ? Window{3900, 100} : Window{100, 140};
}

}  // namespace

MeterMap::MeterMap(MeterFamily family, MeterTraits traits, const Clock& clock)
    : family_(family),
      clock_(clock),
      model_(traits),
      started_(clock.now()),
      first_(window_of(family).first),
      registers_(window_of(family).count) {
  model_.at(started_);
}

bool MeterMap::serves(modbus::Space space, std::uint16_t address, std::uint16_t count) const {
  return space == modbus::Space::holding_registers && address >= first_ &&
         std::size_t{address} + count <= first_ + registers_.size();
}

std::optional<modbus::Exception> MeterMap::read(modbus::Space, std::uint16_t, modbus::Bits&) {
  return modbus::Exception::illegal_function;
}

std::optional<modbus::Exception> MeterMap::read(modbus::Space, std::uint16_t address,
                                                std::span<std::uint16_t> registers) {
  const auto now = clock_.now();
  const auto& supply = model_.at(now);
  if (family_ == MeterFamily::schneider_em6400)
    fill_em6400(supply);
  else
    fill_lg5310(supply, now);
  std::ranges::copy_n(registers_.begin() + (address - first_),
                      static_cast<std::ptrdiff_t>(registers.size()), registers.begin());
  return std::nullopt;
}

std::optional<modbus::Exception> MeterMap::write(std::uint16_t, const modbus::Bits&) {
  return modbus::Exception::illegal_function;
}

std::optional<modbus::Exception> MeterMap::write(std::uint16_t, std::span<const std::uint16_t>) {
  return modbus::Exception::illegal_function;
}

std::map<std::uint8_t, std::string> MeterMap::identity() const {
  const bool schneider = family_ == MeterFamily::schneider_em6400;
  return {{0, schneider ? "Schneider Electric" : "Elmeasure"},
          {1, schneider ? "EM6400" : "LG5310"},
          {2, "simulated"}};
}

void MeterMap::put_u32(std::uint16_t address, std::uint32_t value) {
  registers_[address - first_] = static_cast<std::uint16_t>(value >> 16);
  registers_[address - first_ + 1u] = static_cast<std::uint16_t>(value);
}

void MeterMap::put_float(std::uint16_t address, double value) {
  put_u32(address, std::rotl(std::bit_cast<std::uint32_t>(static_cast<float>(value)), 16));
}

void MeterMap::fill_em6400(const Supply& supply) {
  put_float(3900, supply.apparent_va());
  put_float(3902, supply.active_w());
  put_float(3904, supply.reactive_var());
  put_float(3906, supply.power_factor());
  put_float(3908, supply.voltage_between());
  put_float(3910, supply.voltage());
  put_float(3912, supply.current());
  put_float(3914, supply.frequency);
  for (int i = 0; i < 3; ++i) {
    const auto& phase = supply.phases[static_cast<std::size_t>(i)];
    const auto at = static_cast<std::uint16_t>(3916 + 14 * i);
    put_float(at, phase.apparent_va());
    put_float(at + 2, phase.active_w());
    put_float(at + 4, phase.reactive_var());
    put_float(at + 6, phase.power_factor);
    put_float(at + 8, supply.voltage_between(i, (i + 1) % 3));
    put_float(at + 10, phase.voltage);
    put_float(at + 12, phase.current);
  }
  put_float(3960, supply.energy_wh);
}

void MeterMap::fill_lg5310(const Supply& supply, Time now) {
  put_float(100, supply.active_w());
  put_float(108, supply.reactive_var());
  put_float(116, supply.power_factor());
  put_float(140, supply.voltage());
  put_float(148, supply.current());
  for (std::uint16_t i = 0; i < 3; ++i) {
    const auto& phase = supply.phases[i];
    put_float(102 + 2 * i, phase.active_w());
    put_float(110 + 2 * i, phase.reactive_var());
    put_float(118 + 2 * i, phase.power_factor);
    put_float(142 + 2 * i, phase.voltage);
    put_float(150 + 2 * i, phase.current);
  }
  put_float(156, supply.frequency);
  put_float(158, supply.energy_wh);
  const auto on =
      std::chrono::floor<std::chrono::seconds>(now - started_) + std::chrono::hours(4321);
  put_float(218, std::chrono::duration<double, std::ratio<3600>>(on).count());
  put_u32(220, 3);
  put_u32(230, static_cast<std::uint32_t>(on.count()));
}

}  // namespace lightship::sim
