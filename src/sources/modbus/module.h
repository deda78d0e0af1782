// The Modbus source as the house sees it: connections of slave_config.yaml, meters of
// meter_registry.yaml.
#pragma once

#include <set>

#include "config/module.h"
#include "sources/modbus/setup.h"

namespace lightship::poller {

class ModbusModule final : public config::Module {
 public:
  void declare(config::SiteFiles& files) override;
  void gather(config::Site& site, config::Mistakes& mistakes) override;
  void check(const config::Site& site, config::Mistakes& mistakes) override;
  std::vector<config::LinePlan> plans(const config::Site& site) override;
  std::vector<Part> parts(const config::Site&) override;

  const std::vector<ConnectionConfig>& connections() const { return connections_; }
  const Meters& meters() const { return meters_; }

 private:
  void check_connection(const ConnectionConfig& connection, config::Mistakes& mistakes) const;
  void check_device(const DeviceConfig& device, config::Mistakes& mistakes) const;
  void check_profile(const DeviceConfig& device, const MeterConfig& meter,
                     config::Mistakes& mistakes) const;
  std::string meters_fingerprint(const ConnectionConfig& connection) const;
  static void check_writes(const DeviceConfig& device, config::Mistakes& mistakes);
  void check_groups(const DeviceConfig& device, const std::set<std::string>& names,
                    config::Mistakes& mistakes) const;

  std::vector<ConnectionConfig> connections_;
  std::vector<MeterConfig> site_meters_;
  Meters meters_;
  SharedLists<std::string> names_;
  SharedLists<DevicePoint> points_;
};

}  // namespace lightship::poller

namespace lightship {
std::unique_ptr<config::Module> make_source_modbus();
}
