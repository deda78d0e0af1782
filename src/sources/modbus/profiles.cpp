// Cuts profiles.
#include "sources/modbus/profiles.h"

#include <algorithm>

namespace lightship::poller {
namespace {

constexpr std::string_view kBasicPower[] = {
    "voltage",       "voltage_l1",         "voltage_l2",       "voltage_l3",
    "current",       "current_l1",         "current_l2",       "current_l3",
    "active_power",  "active_power_total", "power_factor",     "frequency",
    "energy_import", "energy_total",       "power_factor_avg", "power_factor_total"};

// A quantity, and the points of which any will do. One that ends in '*' is a beginning.
struct Quantity {
  std::string_view name;
  std::vector<std::string_view> points;
};

// A meter of one phase has `voltage` and lacks nothing.
const std::vector<Quantity>& basic_quantities() {
  static const std::vector<Quantity> kQuantities{
      {"voltage_l1", {"voltage_l1", "voltage"}},
      {"voltage_l2", {"voltage_l2", "voltage"}},
      {"voltage_l3", {"voltage_l3", "voltage"}},
      {"current_l1", {"current_l1", "current"}},
      {"current_l2", {"current_l2", "current"}},
      {"current_l3", {"current_l3", "current"}},
      {"active_power_total", {"active_power_total", "active_power"}},
      {"power_factor", {"power_factor", "power_factor_avg", "power_factor_total"}},
      {"frequency", {"frequency"}},
      {"energy_import", {"energy_import", "energy_total"}}};
  return kQuantities;
}

const std::vector<Quantity>& further_quantities() {
  static const std::vector<Quantity> kQuantities{
      {"active power per phase", {"active_power_l1", "active_power"}},
      {"reactive power", {"reactive_power*"}},
      {"apparent power", {"apparent_power*"}},
      {"energy_export", {"energy_export*"}},
      {"demand", {"demand*", "active_power_demand*", "current_demand*"}},
      {"distortion", {"thd_*"}}};
  return kQuantities;
}

bool in_profile(const MeterConfig& meter, std::string_view profile, std::string_view point) {
  const auto own = meter.profiles.find(std::string(profile));
  if (own != meter.profiles.end())
    return std::ranges::find(own->second, point) != own->second.end();
  if (profile == "basic_power")
    return std::ranges::find(kBasicPower, point) != std::end(kBasicPower);
  return true;
}

bool has(const MeterConfig& meter, const Quantity& quantity) {
  return std::ranges::any_of(meter.registers, [&](const auto& entry) {
    return std::ranges::any_of(quantity.points, [&](std::string_view point) {
      if (!point.ends_with('*')) return entry.first == point;
      return entry.first.starts_with(point.substr(0, point.size() - 1));
    });
  });
}

}  // namespace

std::vector<std::string> profile_names(const MeterConfig& meter) {
  std::vector<std::string> names = meter.supported_profiles;
  for (const auto& [name, points] : meter.profiles) names.push_back(name);
  if (names.empty()) names = {"basic_power", "full_power"};
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::vector<std::string> profile_points(const MeterConfig& meter, std::string_view profile) {
  std::vector<std::string> points;
  const auto known = profile_names(meter);
  if (!profile.empty() && std::ranges::find(known, profile) == known.end()) return points;
  for (const auto& [name, point] : meter.registers) {
    if (profile.empty() || in_profile(meter, profile, name)) points.push_back(name);
  }
  return points;
}

std::vector<std::string> lacking(const MeterConfig& meter, std::string_view profile) {
  std::vector<std::string> names;
  const bool full = profile == "full_power";
  if ((profile != "basic_power" && !full) || meter.profiles.contains(std::string(profile)))
    return names;
  for (const auto& quantity : basic_quantities()) {
    if (!has(meter, quantity)) names.emplace_back(quantity.name);
  }
  if (!full) return names;
  for (const auto& quantity : further_quantities()) {
    if (!has(meter, quantity)) names.emplace_back(quantity.name);
  }
  return names;
}

std::vector<std::string> unsure_points(const MeterConfig& meter, std::string_view profile) {
  const auto points = profile_points(meter, profile);
  std::vector<std::string> unsure;
  for (const auto& [name, c] : meter.registers) {
    if (c.confidence != "single" && c.confidence != "convention") continue;
    if (std::ranges::find(points, name) != points.end()) unsure.push_back(name);
  }
  return unsure;
}

}  // namespace lightship::poller
