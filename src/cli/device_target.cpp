// Finds configured devices.
#include "cli/device_target.h"

#include <algorithm>

#include "app/app.h"
#include "base/text.h"

namespace lightship::cli {

link::SerialSettings DeviceTarget::serial() const {
  return poller::serial_settings(*connection, poller::meter_baud(*connection, modbus->meters()));
}

const poller::DevicePoint* DeviceTarget::point(std::string_view name) const {
  const auto found = std::ranges::find(setup.points, name, &poller::DevicePoint::name);
  return found == setup.points.end() ? nullptr : &*found;
}

std::string DeviceTarget::no_point(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& point : setup.points) names.push_back(point.name);
  const auto meant = nearest(name, names);
  return fmt::format("{} has no point '{}'{}", setup.info.id(), name,
                     meant ? fmt::format(" (did you mean {}?)", *meant) : "");
}

std::unique_ptr<DeviceTarget> find_device(const std::filesystem::path& config_dir,
                                          const std::string& device, std::string_view command,
                                          int& status) {
  auto target = std::make_unique<DeviceTarget>();
  target->loaded = app::load_site(config_dir);
  if (!target->loaded.ok()) {
    fmt::print(stderr, "{}", target->loaded.mistakes.text());
    status = app::kConfig;
    return nullptr;
  }
  for (const auto& module : target->loaded.modules) {
    if (const auto* found = dynamic_cast<const poller::ModbusModule*>(module.get()))
      target->modbus = found;
  }
  std::vector<std::string> known;
  int matches = 0;
  for (const auto& connection : target->modbus->connections()) {
    for (const auto& client : connection.clients) {
      const std::string id = connection.id + "/" + client.id;
      known.push_back(id);
      if (id != device && client.id != device) continue;
      ++matches;
      target->connection = &connection;
      target->setup = poller::device_setup(connection, client, target->modbus->meters());
    }
  }
  if (matches == 1) return target;
  const auto meant = nearest(device, known);
  fmt::print(stderr, "lightship {}: {}\n", command,
             matches == 0
                 ? fmt::format("no device '{}'{}; there are: {}", device,
                               meant ? fmt::format(" (did you mean {}?)", *meant) : "",
                               known.empty() ? "none" : join(known, ", "))
                 : fmt::format("several devices are called '{}'; say CONNECTION/CLIENT", device));
  status = app::kUsage;
  return nullptr;
}

}  // namespace lightship::cli
