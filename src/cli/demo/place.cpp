// Directories and files.
#include "cli/demo/place.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/file.h"

namespace lightship::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSlaves = R"(# The simulated site of `lightship demo`.
connections:
  - id: main-panel
    label: Main panel
    connection_type: serial
    port: {line}
    baud_rate: 19200
    parity: E
    stop_bits: 1
    timeout: 500ms
    retries: 2
    clients:
      - {{id: incomer,  label: Incomer,  type: electrical, unit_id: 1, meter_model: schneider_em6400, profile: full_power,
         poll_interval: 1, mqtt_enabled: true, mqtt_interval: 1, expose_via_tcp: true}}
      - {{id: workshop, label: Workshop, type: electrical, unit_id: 2, meter_model: schneider_em6400, profile: full_power,
         poll_interval: 1, mqtt_enabled: true, mqtt_interval: 1, expose_via_tcp: true}}
      - {{id: office,   label: Office,   type: electrical, unit_id: 3, meter_model: elmeasure_lg5310, profile: full_power,
         poll_interval: 1, mqtt_enabled: true, mqtt_interval: 1, expose_via_tcp: true}}
  - id: boiler-room
    label: Boiler room
    connection_type: tcp
    host: 127.0.0.1
    port: {panel}
    timeout: 1
    clients:
      - id: panel
        label: Boiler
        type: machine
        unit_id: 1
        allow_write: true             # set_point, from the portal or with `lightship write`
        gateway_unit_id: 11
        poll_interval: 1
        mqtt_enabled: true
        mqtt_interval: 1
        expose_via_tcp: true
        registers: &panel
          temperature:  {{address: 0,  function: 3, data_type: int16, scale: 0.1, unit: "°C"}}
          pressure:     {{address: 1,  function: 3, data_type: uint16, scale: 0.01, unit: bar}}
          door_open:    {{address: 2,  function: 3, data_type: bit, bit: 0}}
          filter_dirty: {{address: 2,  function: 3, data_type: bit, bit: 1}}
          mode:         {{address: 3,  function: 3, data_type: enum16, enum: {{0: off, 1: heating, 2: holding}}}}
          set_point:    {{address: 20, function: 3, data_type: uint16, scale: 0.1, unit: "°C", writable: true, range: [0, 90]}}
          run_hours:    {{address: 10, function: 4, data_type: uint32, unit: h}}
          running:      {{address: 0,  function: 1, data_type: bool}}
          fault:        {{address: 1,  function: 1, data_type: bool}}
  - id: pump-house
    label: Pump house
    connection_type: tcp
    host: 127.0.0.1
    port: {pump}
    timeout: 1
    clients:
      - id: pump                      # its controller fails on and off
        label: Pump
        type: machine
        unit_id: 1
        gateway_unit_id: 12
        poll_interval: 1
        mqtt_enabled: true
        mqtt_interval: 1
        expose_via_tcp: true
        registers: *panel
)";

constexpr const char* kCommunication = R"(device_id: demo-site
communication:
  mqtt_config:
    host: 127.0.0.1
    port: {mqtt}
    topics:
      electrical: {{measurements: "site/{{connection_id}}/{{client_id}}"}}
      machine: {{measurements: "site/{{connection_id}}/{{client_id}}"}}
  modbus_tcp_gateway: {{enabled: true, host: 127.0.0.1, port: {gateway}, cache_ttl: 30}}
)";

}  // namespace

Result<DemoPlace> DemoPlace::make(const fs::path& data) {
  std::error_code trouble;
  const auto base = fs::temp_directory_path(trouble);
  std::string name = ((trouble ? fs::path("/tmp") : base) / "lightship-demo-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return fail(Errc::unavailable, "no temporary directory {}: {}", name, std::strerror(errno));
  DemoPlace place;
  place.root_ = name;
  place.data_ = data.empty() ? place.root_ / "data" : fs::absolute(data);
  for (const auto& directory : {place.config(), place.broker(), place.data_}) {
    fs::create_directories(directory, trouble);
    if (trouble) return fail(Errc::unavailable, "{}: {}", directory.string(), trouble.message());
  }
  return place;
}

DemoPlace::~DemoPlace() {
  std::error_code ignored;
  if (!root_.empty()) fs::remove_all(root_, ignored);
}

Result<void> write_site_config(const fs::path& directory, const sim::SiteAddresses& site,
                               DemoPorts ports) {
  using fmt::arg;
  const std::pair<const char*, std::string> files[] = {
      {"slave_config.yaml", fmt::format(fmt::runtime(kSlaves), arg("line", site.line),
                                        arg("panel", site.panel), arg("pump", site.pump))},
      {"communication.yaml", fmt::format(fmt::runtime(kCommunication), arg("mqtt", ports.mqtt),
                                         arg("gateway", ports.gateway))},
      {"portal.yaml", fmt::format("listen: 127.0.0.1:{}\n", ports.portal)},
  };
  for (const auto& [name, text] : files) {
    if (auto written = write_file_atomic(directory / name, text); !written) return written;
  }
  return {};
}

}  // namespace lightship::cli
