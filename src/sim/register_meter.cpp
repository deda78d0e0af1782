// Quantities into registers.
#include "sim/register_meter.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace lightship::sim {
namespace {

using modbus::DataType;

// Between two points that are so near a real meter answers too.
constexpr std::uint16_t kFilledGap = 40;
constexpr double kDcVoltage = 620, kDistortion = 2.1, kTemperature = 41;

// The phase that a name ends with, 0 to 2; -1 for none.
int phase_of(std::string_view name) {
  for (int i = 0; i < 3; ++i) {
    if (name.ends_with("_l" + std::to_string(i + 1))) return i;
  }
  return -1;
}

bool is_thousands(std::string_view unit) {
  return unit.starts_with("kW") || unit.starts_with("kv") || unit.starts_with("kV");
}

double of_phase(const Supply& supply, int phase, double (Phase::*of)() const, double total) {
  return phase < 0 ? total : (supply.phases[static_cast<std::size_t>(phase)].*of)();
}

double sum_of_currents(const Supply& supply) {
  return supply.phases[0].current + supply.phases[1].current + supply.phases[2].current;
}

double voltage(std::string_view name, const Supply& supply) {
  if (name == "voltage_l1_l2") return supply.voltage_between(0, 1);
  if (name == "voltage_l2_l3") return supply.voltage_between(1, 2);
  if (name == "voltage_l3_l1") return supply.voltage_between(2, 0);
  if (name == "voltage_ll_avg") return supply.voltage_between();
  const int phase = phase_of(name);
  return phase < 0 ? supply.voltage() : supply.phases[static_cast<std::size_t>(phase)].voltage;
}

double current(std::string_view name, const Supply& supply) {
  if (name == "current_total" || name == "current_sum") return sum_of_currents(supply);
  if (name == "current_n") return 0.1 * supply.current();
  if (name == "current_unbalance") return 4.5;
  const int phase = phase_of(name);
  return phase < 0 ? supply.current() : supply.phases[static_cast<std::size_t>(phase)].current;
}

double power_factor(std::string_view name, const Supply& supply) {
  const int phase = phase_of(name);
  return phase < 0 ? supply.power_factor()
                   : supply.phases[static_cast<std::size_t>(phase)].power_factor;
}

double energy(std::string_view name, const Supply& supply) {
  double wh = supply.energy_wh;
  if (name.find("export") != name.npos) wh *= 0.01;
  if (name.starts_with("reactive")) wh *= 0.3;
  if (name.starts_with("apparent")) wh *= 1.06;
  return phase_of(name) < 0 ? wh : wh / 3;
}

// In base units: V, A, W, Wh; NaN for what is no quantity of a supply.
double quantity(std::string_view name, const Supply& supply) {
  const int phase = phase_of(name);
  if (name.starts_with("thd_")) return kDistortion + phase;
  if (name.starts_with("voltage")) return voltage(name, supply);
  if (name.starts_with("current")) return current(name, supply);
  if (name.starts_with("active_power"))
    return of_phase(supply, phase, &Phase::active_w, supply.active_w());
  if (name.starts_with("reactive_power"))
    return of_phase(supply, phase, &Phase::reactive_var, supply.reactive_var());
  if (name.starts_with("apparent_power"))
    return of_phase(supply, phase, &Phase::apparent_va, supply.apparent_va());
  if (name.starts_with("power_factor")) return power_factor(name, supply);
  if (name == "frequency") return supply.frequency;
  if (name.find("energy") != name.npos) return energy(name, supply);
  if (name == "dc_voltage") return kDcVoltage;
  if (name == "dc_current") return supply.active_w() / kDcVoltage;
  if (name == "dc_power") return supply.active_w();
  if (name.starts_with("phase_angle")) return 21.5;
  if (name.starts_with("temperature")) return kTemperature;
  if (name == "load_hours") return 4321.5;
  if (name == "application") return 7;
  return std::nan("");
}

bool is_text(const SimPoint& point) { return point.spec.type == DataType::string; }
bool is_scale(const SimPoint& point) { return point.spec.type == DataType::sunssf; }

}  // namespace

RegisterMeter::RegisterMeter(std::vector<SimPoint> points, Traits traits, const Clock& clock)
    : points_(std::move(points)), traits_(traits), clock_(clock), model_(traits.supply) {
  choose_powers();
  fill(model_.at(clock_.now()));
}

void RegisterMeter::set(modbus::Space space, std::uint16_t first,
                        const std::vector<std::uint16_t>& words) {
  for (std::size_t i = 0; i < words.size(); ++i)
    fixed_[{space, static_cast<std::uint16_t>(first + i)}] = words[i];
}

Value RegisterMeter::shows(const std::string& name) {
  const auto* point = find(name);
  return point == nullptr ? Value{} : value_of(*point, model_.at(clock_.now()));
}

double RegisterMeter::step(const std::string& name) const {
  const auto* point = find(name);
  if (point == nullptr) return 0;
  return std::fabs(point->spec.scale) * std::pow(10.0, power_of(*point).value_or(0));
}

bool RegisterMeter::serves(modbus::Space space, std::uint16_t address, std::uint16_t count) const {
  if (count > traits_.max_registers) return false;
  for (std::uint32_t at = address; at < std::uint32_t{address} + count; ++at) {
    const Place place{space, static_cast<std::uint16_t>(at)};
    if (registers_.contains(place) || fixed_.contains(place)) continue;
    // A hole is served when it is a small one between two registers.
    const auto above = registers_.lower_bound(place);
    if (above == registers_.begin() || above == registers_.end()) return false;
    const auto below = std::prev(above);
    if (above->first.first != space || below->first.first != space) return false;
    if (above->first.second - below->first.second > kFilledGap) return false;
  }
  return true;
}

std::optional<modbus::Exception> RegisterMeter::read(modbus::Space, std::uint16_t, modbus::Bits&) {
  return modbus::Exception::illegal_function;
}

std::optional<modbus::Exception> RegisterMeter::read(modbus::Space space, std::uint16_t address,
                                                     std::span<std::uint16_t> registers) {
  const auto& supply = model_.at(clock_.now());
  fill(supply);
  auto from = registers_;
  for (const auto& point : points_) {
    const bool exactly = point.space == space && point.address == address &&
                         modbus::registers_of(point.spec) == registers.size();
    if (point.alone && exactly) put(point, from, supply);
  }
  for (std::size_t i = 0; i < registers.size(); ++i) {
    const Place place{space, static_cast<std::uint16_t>(address + i)};
    const auto fixed = fixed_.find(place);
    const auto made = from.find(place);
    registers[i] = fixed != fixed_.end() ? fixed->second : made != from.end() ? made->second : 0;
  }
  return std::nullopt;
}

std::optional<modbus::Exception> RegisterMeter::write(std::uint16_t, const modbus::Bits&) {
  return modbus::Exception::illegal_function;
}

std::optional<modbus::Exception> RegisterMeter::write(std::uint16_t,
                                                      std::span<const std::uint16_t>) {
  return modbus::Exception::illegal_function;
}

const SimPoint* RegisterMeter::find(const std::string& name) const {
  const auto found = std::ranges::find(points_, name, &SimPoint::name);
  return found == points_.end() ? nullptr : &*found;
}

Value RegisterMeter::value_of(const SimPoint& point, const Supply& supply) const {
  if (is_text(point)) return point.name.substr(0, 2u * point.spec.count);
  if (is_scale(point)) {
    const auto chosen = powers_.find(point.name);
    return std::int64_t{chosen == powers_.end() ? 0 : chosen->second};
  }
  const double amount = quantity(point.name, supply);
  if (std::isnan(amount)) return std::uint64_t{4};  // a state, a number, a count
  double shown = is_thousands(point.unit) ? amount / 1000 : amount;
  if (point.unit == "%" && point.name.starts_with("power_factor")) shown *= 100;
  return Real{shown, Real::kShortest};
}

std::optional<std::int16_t> RegisterMeter::power_of(const SimPoint& point) const {
  if (point.scale_register.empty()) return std::nullopt;
  const auto chosen = powers_.find(point.scale_register);
  return chosen == powers_.end() ? std::int16_t{0} : chosen->second;
}

// As fine as the largest value that the scale is for lets it be, with room for a busier hour.
void RegisterMeter::choose_powers() {
  constexpr double kRoom = 8000;
  const auto& supply = model_.at(clock_.now());
  for (const auto& scale : points_) {
    if (!is_scale(scale)) continue;
    std::int16_t power = -3;
    for (const auto& point : points_) {
      if (point.scale_register != scale.name) continue;
      const double room = modbus::registers_of(point.spec) > 1 ? kRoom * 50'000 : kRoom;
      const double amount = std::fabs(as_double(value_of(point, supply)));
      while (power < 4 && amount / std::pow(10.0, power) > room) ++power;
    }
    powers_[scale.name] = power;
  }
}

void RegisterMeter::fill(const Supply& supply) {
  for (const auto& point : points_) {
    if (!point.alone) put(point, registers_, supply);
  }
}

void RegisterMeter::put(const SimPoint& point, std::map<Place, std::uint16_t>& into,
                        const Supply& supply) {
  auto words = modbus::encode_value(point.spec, value_of(point, supply), power_of(point));
  const auto count = modbus::registers_of(point.spec);
  if (!words) words = std::vector<std::uint16_t>(count, 0);
  for (std::size_t i = 0; i < words->size(); ++i)
    into[{point.space, static_cast<std::uint16_t>(point.address + i)}] = (*words)[i];
}

}  // namespace lightship::sim
