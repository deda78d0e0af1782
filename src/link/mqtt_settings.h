// What must be known to reach an MQTT broker.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lightship::link {

struct MqttWill {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retain = false;
};

struct MqttSettings {
  enum class Transport { tcp, websockets };
  enum class Version { v3_1_1, v5 };

  std::string host;  // a name, 192.0.2.1, ::1 or [::1]
  std::uint16_t port = 1883;
  Transport transport = Transport::tcp;
  std::string path = "/mqtt";  // with websockets
  bool use_tls = false;
  bool tls_verify = true;  // the chain and the server's name
  std::string ca_file;     // empty: the system's authorities
  std::string cert_file;   // the client's own certificate, PEM
  std::string key_file;    // empty: in cert_file
  std::string username;
  std::string password;
  Version version = Version::v3_1_1;
  std::string client_id;  // empty: the broker makes one
  std::chrono::seconds keepalive{60};
  std::chrono::milliseconds connect_timeout{10'000};
  std::optional<MqttWill> will;
};

// What no broker can do, and files that cannot be read. `create` asks this first.
Result<void> check(const MqttSettings& settings);

// What may be published to: not empty, no wildcards.
Result<void> check_topic(std::string_view topic);

// The URI as Paho takes it, with `host` in the place of settings.host.
std::string uri_of(const MqttSettings& settings, const std::string& host);

// "mqtt tcp://broker:1883", "mqtt wss://[::1]:443/mqtt": for names and messages, never a password.
std::string describe(const MqttSettings& settings);

}  // namespace lightship::link
