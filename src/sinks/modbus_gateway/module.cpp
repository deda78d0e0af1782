// The Modbus TCP gateway as the house sees it before anything runs.
#include <algorithm>

#include "base/text.h"
#include "config/module.h"
#include "sinks/modbus_gateway/server.h"

namespace lightship {
namespace gateway {
namespace {

class GatewayModule final : public config::Module {
 public:
  void declare(config::SiteFiles& files) override {
    files.section("communication.yaml", "communication.modbus_tcp_gateway",
                  "Modbus TCP server that answers from the cache",
                  [this](config::Fields& f) { describe(f, config_); });
  }

  void check(const config::Site& site, config::Mistakes& mistakes) override {
    check_units(site, mistakes);
    check_map(site, mistakes);
    if (config_.enabled && config_.map.empty() && exposed(site).empty()) {
      mistakes.note(config_.at,
                    "modbus_tcp_gateway is enabled, but no client has expose_via_tcp: true");
    }
  }

  std::vector<Part> parts(const config::Site& site) override {
    if (!config_.enabled) return {};
    const auto devices = exposed(site);
    std::string print = config_.fingerprint;
    for (const auto& device : devices) {
      print += fmt::format("\n{} {} {}", device.unit, device.device,
                           device.max_age.value_or(Duration(-1)).count());
    }
    return {{"modbus_gateway", Part::Kind::sink, std::move(print),
             [config = config_, devices](Context& context) {
               return std::make_unique<Server>(context, config, devices);
             }}};
  }

 private:
  static std::vector<Exposed> exposed(const config::Site& site) {
    std::vector<Exposed> devices;
    for (const auto& device : site.devices) {
      if (!device.info.exposed || !device.unit_known) continue;
      devices.push_back({device.info.id(), device.info.gateway_unit, device.info.max_age});
    }
    return devices;
  }

  static void check_units(const config::Site& site, config::Mistakes& mistakes) {
    std::map<int, const config::Site::Device*> taken;
    for (const auto& device : site.devices) {
      if (!device.info.exposed || !device.unit_known) continue;
      const auto [first, fresh] = taken.try_emplace(device.info.gateway_unit, &device);
      if (fresh) continue;
      const auto& other = *first->second;
      mistakes.error(
          device.unit_at,
          fmt::format(
              "unit id {} of the Modbus TCP gateway is both {}'s and {}'s; give one of them a "
              "gateway_unit_id of its own",
              first->first, other.info.id(), device.info.id()));
    }
  }

  void check_map(const config::Site& site, config::Mistakes& mistakes) const {
    const auto known = point_names(site);
    std::map<int, std::string> devices;
    for (const auto& device : exposed(site)) devices.emplace(device.unit, device.device);

    for (auto entry = config_.map.begin(); entry != config_.map.end(); ++entry) {
      if (const auto device = devices.find(entry->unit); device != devices.end()) {
        mistakes.error(entry->at,
                       fmt::format("unit {} is {}'s; mapped points need a unit id of their own",
                                   entry->unit, device->second));
      }
      const auto overlaps = [&](const MapEntry& other) {
        return other.unit == entry->unit && other.address < entry->end() &&
               entry->address < other.end();
      };
      if (const auto other = std::find_if(config_.map.begin(), entry, overlaps); other != entry) {
        mistakes.error(entry->at,
                       fmt::format("registers {}-{} of unit {} overlap those of {} ({}-{})",
                                   entry->address, entry->end() - 1, entry->unit, other->point,
                                   other->address, other->end() - 1));
      }
      if (entry->point.empty() || std::ranges::find(known, entry->point) != known.end()) continue;
      auto& mistake =
          mistakes.error(entry->point_at, fmt::format("there is no point '{}'", entry->point));
      mistake.found = fmt::format("'{}' (text)", entry->point);
      mistake.expected = "a point of a device: CONNECTION/DEVICE/POINT";
      mistake.suggestion = nearest(entry->point, known).value_or("");
    }
  }

  static std::vector<std::string> point_names(const config::Site& site) {
    std::vector<std::string> names;
    for (const auto& device : site.devices) {
      for (const auto& point : device.points) names.push_back(device.info.id() + "/" + point);
      names.push_back(device.info.id() + "/online");  // every device has it
    }
    return names;
  }

  GatewayConfig config_;
};

}  // namespace
}  // namespace gateway

std::unique_ptr<config::Module> make_sink_modbus_gateway();  // also declared by app/registry.cpp
std::unique_ptr<config::Module> make_sink_modbus_gateway() {
  return std::make_unique<gateway::GatewayModule>();
}

}  // namespace lightship
