// The meters that are known by name: those built in and those of the site's meter_registry.yaml.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sources/modbus/config.h"

namespace lightship::poller {

class Meters {
 public:
  // The families of meters/, compiled in. What is wrong with them is a defect and shows in
  // `mistakes`.
  static Meters built_in(config::Mistakes& mistakes);

  // The site's own: a new id is added, a known one replaced with a note.
  void add(std::vector<MeterConfig> site, config::Mistakes& mistakes);

  const MeterConfig* find(std::string_view id) const;  // by id or by a name in `also`
  std::vector<std::string> ids() const;
  const std::vector<MeterConfig>& all() const { return meters_; }

 private:
  void index();
  std::vector<MeterConfig> meters_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
};

// The points of a profile in the order of the meter's registers; nothing when the meter has no such
// profile. "" is every point. meters/README.md: basic_power is a set of quantities, full_power all.
std::vector<std::string> profile_points(const MeterConfig& meter, std::string_view profile);
std::vector<std::string> profile_names(const MeterConfig& meter);

}  // namespace lightship::poller
