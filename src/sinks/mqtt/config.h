// The settings of the MQTT sink: `communication.mqtt_config` of communication.yaml.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/fields.h"
#include "core/measurement.h"
#include "link/mqtt_settings.h"

namespace lightship::mqtt {

using Transport = link::MqttSettings::Transport;
using Version = link::MqttSettings::Version;

// One address of the broker; the further ones are tried in order when the first does not answer.
struct BrokerConfig {
  std::string host;
  std::uint16_t port = 1883;
  Transport transport = Transport::tcp;
  std::string path = "/mqtt";
  bool use_tls = false;
  bool tls_verify = true;
  std::string ca_file, cert_file, key_file;  // relative to the configuration directory
  std::string username;
  config::Secret password;
  config::Position at;
};

struct TopicConfig {
  std::string measurements, alerts;
  Shape shape = Shape::grouped;
  std::optional<int> qos;
  std::optional<bool> retain;
  config::Position at;
};

struct MqttConfig : BrokerConfig {
  bool enabled = true;
  Version protocol_version = Version::v3_1_1;
  std::string client_id = "lightship-{device_id}";
  Duration keepalive = std::chrono::seconds(60);
  int qos = 1;
  bool retain = false;
  std::string status_topic = "lightship/{device_id}/status";
  std::vector<BrokerConfig> brokers;
  std::map<std::string, TopicConfig> topics;  // by a client's type
};

void describe(config::Fields& f, BrokerConfig& c);
void describe(config::Fields& f, TopicConfig& c);
void describe(config::Fields& f, MqttConfig& c);

}  // namespace lightship::mqtt
