// What can be said of MQTT settings without a broker.
#include "link/mqtt_settings.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "link/sockets.h"

namespace lightship::link {
namespace {

Result<void> readable(const std::string& file, std::string_view key) {
  if (file.empty() || ::access(file.c_str(), R_OK) == 0) return {};
  return fail(
      Error{Errc::unavailable, fmt::format("{} {}: {}", key, file, in_words(errno)), errno});
}

Result<void> check_names(const MqttSettings& settings) {
  if (settings.host.empty()) return fail(Errc::invalid, "no host is named");
  if (settings.port == 0) return fail(Errc::invalid, "port 0, expected 1 to 65535");
  if (settings.transport == MqttSettings::Transport::websockets && !settings.path.starts_with('/'))
    return fail(Errc::invalid, "path \"{}\", expected one that starts with /", settings.path);
  if (!settings.password.empty() && settings.username.empty() &&
      settings.version == MqttSettings::Version::v3_1_1)
    return fail(Errc::invalid, "a password without a username, which MQTT 3.1.1 does not allow");
  if (settings.keepalive.count() < 0 || settings.keepalive.count() > 65535)
    return fail(Errc::invalid, "keepalive of {} s, expected 0 to 65535",
                settings.keepalive.count());
  if (settings.connect_timeout.count() <= 0)
    return fail(Errc::invalid, "connect_timeout must be positive");
  return {};
}

}  // namespace

Result<void> check_topic(std::string_view topic) {
  if (topic.empty()) return fail(Errc::invalid, "the topic is empty");
  if (topic.size() > 65535)
    return fail(Errc::invalid, "a topic of {} bytes, expected at most 65535", topic.size());
  const auto bad = topic.find_first_of(std::string_view("+#\0", 3));
  if (bad == std::string_view::npos) return {};
  if (topic[bad] == '\0') return fail(Errc::invalid, "a NUL in the topic");
  return fail(Errc::invalid, "topic \"{}\": the wildcard {} is for subscriptions", topic,
              topic[bad]);
}

Result<void> check(const MqttSettings& settings) {
  if (auto names = check_names(settings); !names) return names;
  if (settings.will)
    if (auto topic = check_topic(settings.will->topic); !topic)
      return within("will", std::move(topic.error()));
  if (!settings.use_tls) return {};
  // It compares the literal with its brackets, which is no address for OpenSSL.
  if (settings.tls_verify && settings.host.find(':') != std::string::npos)
    return fail(Errc::invalid,
                "host {} with tls_verify: Paho cannot check an IPv6 address, expected a name",
                settings.host);
  if (!settings.key_file.empty() && settings.cert_file.empty())
    return fail(Errc::invalid, "key_file without cert_file");
  if (auto file = readable(settings.ca_file, "ca_file"); !file) return file;
  if (auto file = readable(settings.cert_file, "cert_file"); !file) return file;
  return readable(settings.key_file, "key_file");
}

std::string uri_of(const MqttSettings& settings, const std::string& host) {
  const bool web = settings.transport == MqttSettings::Transport::websockets;
  const char* scheme = web ? (settings.use_tls ? "wss" : "ws") : (settings.use_tls ? "ssl" : "tcp");
  return fmt::format("{}://{}{}", scheme, host_with_port(host, settings.port),
                     web ? settings.path : "");
}

std::string describe(const MqttSettings& settings) {
  return "mqtt " + uri_of(settings, settings.host);
}

}  // namespace lightship::link
