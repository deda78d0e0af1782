// What every device of slave_config.yaml has, whatever it is asked with: who it is and where its
// values go.
#pragma once

#include <optional>
#include <string>

#include "config/fields.h"
#include "config/module.h"
#include "core/catalog.h"

namespace lightship::config {

struct ClientConfig {
  std::string id, label, type = "default";
  std::optional<Duration> poll_interval;
  bool http_enabled = false;
  Duration http_interval = std::chrono::seconds(60);
  bool mqtt_enabled = false;
  Duration mqtt_interval = std::chrono::seconds(10);
  bool mqtt_on_change = false;
  double mqtt_deadband = 0;
  bool expose_via_tcp = false;
  std::optional<std::uint8_t> gateway_unit_id;
  std::optional<Duration> max_age;
  bool allow_write = false;
  Keep history = Keep::raw;
  bool unit_known = true;  // false: something is wrong with unit_id or gateway_unit_id
  Position at, type_at, unit_at;
};

void describe_client(Fields& f, ClientConfig& c);

// The device as the rest of the house knows it. The poll interval is the one given, else the
// smallest interval at which something is published, else 10 s.
DeviceInfo device_info(const std::string& connection, const ClientConfig& c, std::uint8_t unit);

}  // namespace lightship::config
