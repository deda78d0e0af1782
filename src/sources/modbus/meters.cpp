// Looks meters up, cuts profiles.
#include "sources/modbus/meters.h"

#include <algorithm>

#include "config/document.h"
#include "config/vault.h"
#include "sources/modbus/meter_files.h"

namespace lightship::poller {
namespace {

constexpr std::string_view kBasicPower[] = {
    "voltage",       "voltage_l1",         "voltage_l2",       "voltage_l3",
    "current",       "current_l1",         "current_l2",       "current_l3",
    "active_power",  "active_power_total", "power_factor",     "frequency",
    "energy_import", "energy_total",       "power_factor_avg", "power_factor_total"};

bool in_profile(const MeterConfig& meter, std::string_view profile, std::string_view point) {
  const auto own = meter.profiles.find(std::string(profile));
  if (own != meter.profiles.end())
    return std::ranges::find(own->second, point) != own->second.end();
  if (profile == "basic_power")
    return std::ranges::find(kBasicPower, point) != std::end(kBasicPower);
  return true;
}

}  // namespace

Meters Meters::built_in(config::Mistakes& mistakes) {
  Meters meters;
  const config::Vault nobody;
  for (const auto& file : kMeterFiles) {
    const config::Document document(std::string(file.name), file.text, nobody, mistakes);
    config::Fields fields(document, mistakes);
    std::vector<MeterConfig> found;
    fields.items("meters", found, "meter families").required();
    fields.finish();
    std::ranges::move(found, std::back_inserter(meters.meters_));
  }
  meters.index();
  return meters;
}

void Meters::add(std::vector<MeterConfig> site, config::Mistakes& mistakes) {
  for (auto& meter : site) {
    const auto known = by_id_.find(meter.id);
    if (known == by_id_.end()) {
      meters_.push_back(std::move(meter));
    } else {
      mistakes.note(meter.at, "replaces the built-in meter '" + meter.id + "'");
      meters_[known->second] = std::move(meter);
    }
    index();
  }
}

const MeterConfig* Meters::find(std::string_view id) const {
  const auto known = by_id_.find(id);
  return known == by_id_.end() ? nullptr : &meters_[known->second];
}

std::vector<std::string> Meters::ids() const {
  std::vector<std::string> ids;
  for (const auto& [id, meter] : by_id_) ids.push_back(id);
  return ids;
}

void Meters::index() {
  by_id_.clear();
  for (std::size_t i = 0; i < meters_.size(); ++i) {
    by_id_[meters_[i].id] = i;
    for (const auto& name : meters_[i].also) by_id_.try_emplace(name, i);
  }
}

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

}  // namespace lightship::poller
