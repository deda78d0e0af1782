// The keys that every device of slave_config.yaml has.
#include "config/client.h"

#include <algorithm>

namespace lightship::config {

using namespace std::chrono_literals;

void describe_client(Fields& f, ClientConfig& c) {
  if (!f.describing()) {
    c.at = f.position("id");
    c.type_at = f.position("type");
    c.unit_at = f.position("unit_id");
  }
  f.value("id", c.id,
          "the device's name, unique within its connection; part of topics and point names")
      .required()
      .pattern_id()
      .example("meter-1");
  f.value("label", c.label, "a text for people");
  f.value("type", c.type, "selects the topics and endpoints the device is sent to")
      .pattern_id()
      .example("electrical");
  f.value("poll_interval", c.poll_interval,
          "time between two polls; absent: the smallest enabled publish interval, "
          "else 10 s")
      .between(10ms, 24h);
  f.value("http_enabled", c.http_enabled, "send measurements to the HTTP endpoint of the type");
  f.value("http_interval", c.http_interval, "time between two measurements over HTTP")
      .between(100ms, 24h);
  f.value("mqtt_enabled", c.mqtt_enabled, "send measurements to the MQTT topic of the type");
  f.value("mqtt_interval", c.mqtt_interval, "time between two measurements over MQTT")
      .between(100ms, 24h);
  f.value("mqtt_on_change", c.mqtt_on_change, "send also as soon as a value has moved");
  f.value("mqtt_deadband", c.mqtt_deadband,
          "how far a value must move, in its unit, to be sent on change")
      .at_least(0);
  f.value("expose_via_tcp", c.expose_via_tcp, "answer for the device in the Modbus TCP gateway");
  f.value("gateway_unit_id", c.gateway_unit_id, "unit id in the gateway; absent: unit_id")
      .between(1, 247);
  f.value("max_age", c.max_age, "oldest value the gateway gives for this device; absent: cache_ttl")
      .at_least(10ms);
  f.choice("history", c.history,
           {{"raw", Keep::raw}, {"rollup", Keep::rollup}, {"none", Keep::none}},
           "what the history keeps: every value and the roll-ups, the roll-ups alone, or nothing");
  f.value("allow_write", c.allow_write,
          "let writes through to the device, by name and from the Modbus gateway");
}

DeviceInfo device_info(const std::string& connection, const ClientConfig& c, std::uint8_t unit) {
  DeviceInfo info;
  info.connection = connection;
  info.client = c.id;
  info.label = c.label;
  info.type = c.type;
  info.unit = unit;
  info.http = {c.http_enabled, c.http_interval, false, 0};
  info.mqtt = {c.mqtt_enabled, c.mqtt_interval, c.mqtt_on_change, c.mqtt_deadband};
  info.exposed = c.expose_via_tcp;
  info.gateway_unit = c.gateway_unit_id.value_or(unit);
  info.max_age = c.max_age;
  info.history = c.history;
  info.allow_write = c.allow_write;
  if (c.poll_interval) {
    info.poll_interval = *c.poll_interval;
  } else {
    info.poll_interval = c.http_enabled && c.mqtt_enabled
                             ? std::min(c.http_interval, c.mqtt_interval)
                         : c.http_enabled ? c.http_interval
                         : c.mqtt_enabled ? c.mqtt_interval
                                          : Duration(10s);
  }
  return info;
}

}  // namespace lightship::config
