// Declares, checks and makes the parts of the Modbus source.
#include "sources/modbus/module.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <unistd.h>

#include "base/text.h"
#include "link/serial_ports.h"
#include "sources/modbus/poll_groups.h"

namespace lightship::poller {
namespace {

constexpr const char* kSlaves = "slave_config.yaml";
constexpr const char* kRegistry = "meter_registry.yaml";
// A line above this load will not keep its intervals when one device is slow.
constexpr double kFullLine = 100, kTightLine = 80;

}  // namespace

void ModbusModule::declare(config::SiteFiles& files) {
  files.file(kSlaves, "connections and the devices behind them");
  files.items(kSlaves, "connections", "connection_type",
              {"serial", "tcp", "rtu_over_tcp", "ascii", "udp"}, "a Modbus line or socket",
              [this](config::Fields& f) {
                ConnectionConfig one;
                describe(f, one);
                if (!f.describing()) connections_.push_back(std::move(one));
              });
  files.later_items(kSlaves, "connections", "connection_type", {"iec61850"}, "IEC 61850");
  files.file(kRegistry, "the site's own meters, beside the built-in ones");
  files.section(kRegistry, "", "meters by register map",
                [this](config::Fields& f) { f.items("meters", site_meters_, "meter families"); });
}

void ModbusModule::gather(config::Site& site, config::Mistakes& mistakes) {
  meters_ = Meters::built_in(mistakes);
  meters_.add(site_meters_, mistakes);

  std::map<std::string, const ConnectionConfig*> ids, ports;
  for (const auto& connection : connections_) {
    const auto [known, fresh] = ids.emplace(connection.id, &connection);
    if (!fresh && !connection.id.empty()) {
      mistakes.error(connection.at,
                     fmt::format("connection id '{}' is used twice; the first is at line {}",
                                 connection.id, known->second->at.line));
    }
    if (connection.is_serial_port() && !connection.port.empty()) {
      std::error_code ignored;
      const auto real = std::filesystem::weakly_canonical(connection.port, ignored).string();
      const auto [other, first] = ports.emplace(real.empty() ? connection.port : real, &connection);
      if (!first) {
        mistakes.error(
            connection.port_at,
            fmt::format("port {} belongs to connection '{}' already: one port, one connection",
                        connection.port, other->second->id));
      }
    }
    check_connection(connection, mistakes);
    for (const auto& client : connection.clients) {
      check_device(client, mistakes);
      check_writes(client, mistakes);
      const auto setup = device_setup(connection, client, meters_);
      config::Site::Device device{
          setup.info, {}, {}, client.at, client.type_at, client.unit_at, client.unit_known};
      std::vector<std::string> names;
      for (const auto& point : setup.points) names.push_back(point.name);
      device.points = names_.same(std::move(names));
      for (const auto& group : group_points(setup)) {
        for (const auto& block : *group.blocks)
          device.ranges.push_back({block.space, block.first, block.count});
      }
      site.devices.push_back(std::move(device));
    }
  }
}

void ModbusModule::check_connection(const ConnectionConfig& connection,
                                    config::Mistakes& mistakes) const {
  std::map<std::string, int> ids;
  std::map<int, std::string> units;
  for (const auto& client : connection.clients) {
    if (!client.id.empty() && ++ids[client.id] == 2) {
      mistakes.error(client.at, fmt::format("device id '{}' is used twice in connection '{}'",
                                            client.id, connection.id));
    }
    if (!client.unit_known) continue;
    const auto [other, fresh] = units.emplace(client.unit_id, client.id);
    if (!fresh) {
      mistakes.error(client.unit_at,
                     fmt::format("unit {} on connection '{}' belongs to device '{}' already",
                                 client.unit_id, connection.id, other->second));
    }
    const bool network = connection.type == LineType::tcp || connection.type == LineType::udp;
    if (!network && (client.unit_id < 1 || client.unit_id > 247)) {
      auto& mistake = mistakes.error(
          client.unit_at, fmt::format("unit_id {} cannot be on a serial line", client.unit_id));
      mistake.found = fmt::to_string(client.unit_id);
      mistake.expected = "1 to 247";
    }
  }
  if (connection.clients.empty())
    mistakes.warning(connection.at, fmt::format("connection '{}' has no clients", connection.id));

  if (!connection.is_serial_port() || connection.port.empty()) return;
  std::error_code ignored;
  if (!std::filesystem::exists(connection.port, ignored)) {
    std::vector<std::string> names;
    for (const auto& port : link::serial_ports())
      names.push_back(port.stable.empty() ? port.device : port.stable.front());
    mistakes.note(connection.port_at,
                  fmt::format("{} is not there now; {}", connection.port,
                              names.empty() ? "this machine has no serial port"
                                            : "there are: " + join(names, ", ")));
  } else if (::access(connection.port.c_str(), R_OK | W_OK) != 0) {
    mistakes.note(
        connection.port_at,
        fmt::format("{} may not be opened by this user; add the user to the group dialout",
                    connection.port));
  }
}

void ModbusModule::check_device(const DeviceConfig& device, config::Mistakes& mistakes) const {
  std::set<std::string> names;
  if (!device.meter_model.empty()) {
    const auto* meter = meters_.find(device.meter_model);
    if (meter == nullptr) {
      const auto near = meters_.closest(device.meter_model);
      auto& mistake = mistakes.error(
          device.model_at,
          fmt::format("no meter '{}' in the registry; the closest of {}: {}", device.meter_model,
                      counted(meters_.ids().size(), "meter"), join(near, ", ")));
      mistake.found = device.meter_model;
      mistake.expected = "one of " + join(near, ", ");
      mistake.suggestion = near.empty() ? "" : near.front();
    } else {
      check_profile(device, *meter, mistakes);
    }
  }
  const auto points = device_points(device, meters_);
  for (const auto& point : points) names.insert(point.name);
  check_groups(device, names, mistakes);
  for (const auto& [name, c] : device.registers) {
    if (name == "online")
      mistakes.error(c.at, "'online' is the name of every device's own state; choose another");
    if (c.scale_register.empty() || names.contains(c.scale_register)) continue;
    const std::vector<std::string> known(names.begin(), names.end());
    auto& mistake = mistakes.error(
        c.at, fmt::format("scale_register '{}' is no point of this device", c.scale_register));
    mistake.found = c.scale_register;
    mistake.expected = "one of " + join(known, ", ");
    mistake.suggestion = nearest(c.scale_register, known).value_or("");
  }
}

void ModbusModule::check_profile(const DeviceConfig& device, const MeterConfig& meter,
                                 config::Mistakes& mistakes) const {
  const auto known = profile_names(meter);
  if (!device.profile.empty() && std::ranges::find(known, device.profile) == known.end()) {
    auto& mistake = mistakes.error(
        device.profile_at, fmt::format("meter '{}' has no profile '{}', but {}", device.meter_model,
                                       device.profile, join(known, ", ")));
    mistake.found = device.profile;
    mistake.expected = "one of " + join(known, ", ");
    mistake.suggestion = nearest(device.profile, known).value_or("");
    return;
  }
  const auto& at = device.profile.empty() ? device.model_at : device.profile_at;
  if (const auto without = lacking(meter, device.profile); !without.empty()) {
    mistakes.note(at, fmt::format("of profile '{}' the meter '{}' lacks: {}; they are left out",
                                  device.profile, device.meter_model, join(without, ", ")));
  }
  const auto unsure = unsure_points(meter, device.profile);
  if (unsure.empty()) return;
  const auto all = profile_points(meter, device.profile).size();
  mistakes.note(
      device.model_at,
      fmt::format("{} {} of '{}' rest on a single source or on the vendor's way of numbering; "
                  "compare one value with the display: {}",
                  unsure.size() == all ? "all" : fmt::format("{} of the", unsure.size()),
                  counted(all, "point"), device.meter_model, join(unsure, ", ")));
}

void ModbusModule::check_writes(const DeviceConfig& device, config::Mistakes& mistakes) {
  bool any = false;
  for (const auto& [name, c] : device.registers) {
    if (!c.writable.value_or(false)) {
      const bool guarded = !c.range.empty() || c.step || c.min_write_interval > Duration{};
      if (guarded && !device.allow_write) {
        mistakes.warning(c.at, fmt::format("{}: what may be written to it has no effect without "
                                           "allow_write: true of device '{}'",
                                           name, device.id));
      }
      continue;
    }
    any = true;
    const auto spec = point_spec(c);
    const bool wants_range =
        c.range.empty() && c.names.empty() && spec.type != modbus::DataType::boolean &&
        spec.type != modbus::DataType::bit && spec.type != modbus::DataType::string;
    if (!device.allow_write) {
      mistakes.warning(c.at, fmt::format("{} is writable, but device '{}' says no allow_write: "
                                         "true: nothing is written",
                                         name, device.id));
    } else if (wants_range) {
      mistakes.warning(c.at, fmt::format("{} is writable without a range: any {} is sent to the "
                                         "device; say range: [lowest, highest]",
                                         name, modbus::name(spec.type)));
    }
  }
  if (!device.allow_write || any) return;
  if (device.expose_via_tcp) {
    mistakes.note(device.write_at,
                  fmt::format("device '{}' allows writes and has no writable register: they come "
                              "through the Modbus gateway only",
                              device.id));
  } else {
    mistakes.warning(device.write_at,
                     fmt::format("device '{}' allows writes, but none of its registers says "
                                 "writable: true, and the Modbus gateway does not expose it",
                                 device.id));
  }
}

void ModbusModule::check_groups(const DeviceConfig& device, const std::set<std::string>& names,
                                config::Mistakes& mistakes) const {
  const std::vector<std::string> known(names.begin(), names.end());
  std::map<std::string, int> taken;  // by which line
  for (const auto& group : device.poll_groups) {
    for (const auto& name : group.points) {
      if (!names.contains(name)) {
        auto& mistake =
            mistakes.error(group.points_at, fmt::format("'{}' is no point of this device", name));
        mistake.found = name;
        mistake.expected = "one of " + join(known, ", ");
        mistake.suggestion = nearest(name, known).value_or("");
        continue;
      }
      const auto [first, fresh] = taken.emplace(name, group.at.line);
      if (!fresh) {
        mistakes.error(group.points_at,
                       fmt::format("'{}' is in the poll group at line {} already: a point has one "
                                   "interval",
                                   name, first->second));
      }
    }
  }
}

void ModbusModule::check(const config::Site&, config::Mistakes& mistakes) {
  for (const auto& connection : connections_) {
    const auto line = line_plan(connection, meters_);
    if (line.load_percent <= kTightLine || std::isinf(line.load_percent))
      continue;  // an interval of 0 is told as such
    mistakes.warning(
        connection.at,
        line.load_percent > kFullLine
            ? fmt::format("line '{}' is over-booked: its polls need {:.0f} % of the line's time; "
                          "lengthen poll_interval, read fewer points or raise the baud rate",
                          connection.id, line.load_percent)
            : fmt::format("line '{}' is nearly full: its polls need {:.0f} % of the line's time",
                          connection.id, line.load_percent));
  }
}

std::vector<config::LinePlan> ModbusModule::plans(const config::Site&) {
  std::vector<config::LinePlan> all;
  for (const auto& connection : connections_) all.push_back(line_plan(connection, meters_));
  return all;
}

// A line is restarted when one of its meters says something else, not when a meter is added.
std::string ModbusModule::meters_fingerprint(const ConnectionConfig& connection) const {
  std::string all;
  for (const auto& client : connection.clients) {
    const auto* meter = meters_.find(client.meter_model);
    if (meter == nullptr) continue;
    all += meter->fingerprint;
    for (const auto* part : meters_.parts_of(*meter)) all += part->fingerprint;
  }
  return all;
}

std::vector<Part> ModbusModule::parts(const config::Site&) {
  std::vector<Part> parts;
  for (const auto& connection : connections_) {
    if (connection.clients.empty()) continue;
    auto setup = std::make_shared<LineSetup>(line_setup(connection, meters_));
    for (auto& device : setup->devices) device.points = points_.same(std::move(device.points));
    parts.push_back({"modbus/" + connection.id, Part::Kind::source,
                     connection.fingerprint + meters_fingerprint(connection),
                     [setup](Context& context) -> std::unique_ptr<Runner> {
                       return std::make_unique<LineSource>(context, *setup);
                     }});
  }
  return parts;
}

}  // namespace lightship::poller

namespace lightship {
std::unique_ptr<config::Module> make_source_modbus() {
  return std::make_unique<poller::ModbusModule>();
}
}  // namespace lightship
