// The meters that are known by name: those built in and those of the site's meter_registry.yaml.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sources/modbus/config.h"
#include "sources/modbus/profiles.h"

namespace lightship::poller {

class Meters {
 public:
  // The families of meters/, compiled in. What is wrong with them is a defect and shows in
  // `mistakes`.
  static Meters built_in(config::Mistakes& mistakes);

  // The site's own: a new name is added; a known one, whether id or `also`, is the site's from now
  // on, with a note, and the others of its family stay as they were. Each is checked and its tests
  // are run; what is wrong with one does not touch the others.
  void add(std::vector<MeterConfig> site, config::Mistakes& mistakes);

  const MeterConfig* find(std::string_view id) const;  // by id or by a name in `also`
  std::vector<std::string> ids() const;
  const std::vector<MeterConfig>& all() const { return meters_; }

  // The known ids most like this one, the best first; for who mistyped it.
  std::vector<std::string> closest(std::string_view id, std::size_t most = 5) const;

  // The meters whose points this one has: itself, or those it combines.
  std::vector<const MeterConfig*> parts_of(const MeterConfig& meter) const;

 private:
  void enter(MeterConfig meter);
  void combine(MeterConfig& meter) const;

  std::vector<MeterConfig> meters_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
};

// What stands on the device of which `id` is the meter_model: "Schneider EM6400". Of a family that
// has several the one that the id names.
std::string shown_model(const MeterConfig& meter, std::string_view id);

}  // namespace lightship::poller
