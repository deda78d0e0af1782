// Declares the keys that belong to no driver.
#include "app/house.h"

#include <boost/asio/ip/address.hpp>

#include "base/text.h"

namespace lightship::app {

using config::Fields;

namespace {

constexpr const char* kCommunication = "communication.yaml";
constexpr const char* kPortal = "portal.yaml";

struct PerformanceConfig {
  bool enabled = false;
  Duration monitor_interval = std::chrono::seconds(60);
  double cpu_threshold = 80, memory_threshold = 80;
};
void describe(Fields& f, PerformanceConfig& c) {
  f.value("enabled", c.enabled, "watch processor and memory of this machine");
  f.value("monitor_interval", c.monitor_interval, "time between two looks")
      .between(std::chrono::seconds(1), std::chrono::hours(1));
  f.value("cpu_threshold", c.cpu_threshold, "per cent above which an alert is raised")
      .between(1, 100);
  f.value("memory_threshold", c.memory_threshold, "per cent above which an alert is raised")
      .between(1, 100);
}

struct TelegramConfig {
  config::Secret bot_token;
  std::string chat_id;
};
void describe(Fields& f, TelegramConfig& c) {
  f.value("bot_token", c.bot_token, "the bot's token").required();
  f.value("chat_id", c.chat_id, "the chat it writes to").required();
}

struct TlsConfig {
  std::string certificate, key;
};
void describe(Fields& f, TlsConfig& c) {
  f.value("certificate", c.certificate, "file with the certificate and its chain (PEM)").required();
  f.value("key", c.key, "file with its key (PEM)").required();
}

}  // namespace
}  // namespace lightship::app

namespace lightship::portal {

static void describe(config::Fields& f, Settings::Sessions& c) {
  f.value("idle", c.idle, "a session ends so long after its last request")
      .between(std::chrono::minutes(1), std::chrono::days(365));
  f.value("longest", c.longest, "and so long after the log-in in any case")
      .between(std::chrono::minutes(1), std::chrono::days(365));
}

}  // namespace lightship::portal

namespace lightship::app {

void House::declare(config::SiteFiles& files) {
  files.file(kCommunication, "who we are and where data goes");
  files.section(kCommunication, "", "the gateway's name and notifiers", [this](Fields& f) {
    f.value("device_id", config_.device_id, "this gateway's name in every message and topic")
        .pattern_id();
    config::Secret discord;
    f.value("discord_webhook_url", discord, "webhook of the Discord channel for alerts")
        .later("sending alerts to Discord");
    std::string level;
    std::map<std::string, std::string> components;
    f.section_with("logging", "what is logged", [&](Fields& g) {
      g.value("level", level, "debug, info, warn or error; the option --log-level wins")
          .one_of({"debug", "info", "warn", "warning", "error"});
      g.map("components", components, "the level of single components").example("{modbus: debug}");
      if (g.describing()) return;
      config_.log_level = parse_level(level);
      for (const auto& [name, text] : components) {
        if (const auto parsed = parse_level(text))
          config_.component_levels[name] = *parsed;
        else
          g.error("components",
                  fmt::format("'{}' is not a level; known are debug, info, warn, error", text));
      }
    });
  });
  files.section(kCommunication, "communication", "where data goes", [](Fields& f) {
    PerformanceConfig performance;
    f.section("performance_config", performance, "watch over this machine")
        .later("watching processor and memory");
    std::optional<TelegramConfig> telegram;
    f.section("telegram", telegram, "alerts to Telegram").later("sending alerts to Telegram");
  });
  files.section(kCommunication, "communication.outbox",
                "what waits on disk for acknowledgement, of all sinks",
                [this](Fields& f) { describe(f, config_.outbox); });
  files.file(kPortal, "the portal: address, encryption, sessions");
  files.section(kPortal, "", "the web portal", [this](Fields& f) {
    f.value("listen", config_.listen,
            "address and port; absent: 127.0.0.1:8080, or a free port where that is taken");
    f.value("metrics_public", config_.metrics_public,
            "give /metrics to everybody who reaches the listener");
    std::string tls_word;
    std::optional<TlsConfig> tls;
    f.word_or_section("tls", tls_word, {"auto"}, tls,
                      "HTTPS instead of HTTP: auto makes a certificate, signed by itself");
    f.section("sessions", config_.portal.sessions, "how long a log-in lasts");
    f.section_with("frames", "the last minutes of every line, byte for byte", [this](Fields& g) {
      g.value("memory", config_.frames_memory,
              "of all lines together, in equal shares of at most 512 KiB a line")
          .between(config::ByteSize{64'000}, config::ByteSize{256'000'000});
    });
    f.section_with("limits", "how often somebody may ask", [this](Fields& g) {
      g.value("guests", config_.portal.guest_rate,
              "requests a second of one address without a session; 0: no limit")
          .between(0, 1e6);
      g.value("sessions", config_.portal.session_rate,
              "requests a second of one session or token; 0: no limit")
          .between(0, 1e6);
    });
    if (f.describing()) return;
    if (tls_word == "auto") config_.portal.tls = portal::Settings::Tls::own;
    if (tls) {
      config_.portal.tls = portal::Settings::Tls::files;
      config_.portal.tls_files = {tls->certificate, tls->key};
    }
    config_.listen_named = f.has("listen");
    if (!parse_endpoint(config_.listen)) {
      f.error("listen", fmt::format("'{}' is not an address with a port such as 0.0.0.0:8080",
                                    config_.listen));
    }
  });
  files.later("mesh.yaml", "the mesh");
  files.later("latency.yaml", "latency probing");
  files.later("discovery.yaml", "discovery");
  files.later("alerts.yaml", "alerting");
}

void House::gather(config::Site& site, config::Mistakes&) {
  site.device_id = config_.device_id;
  site.outbox = config_.outbox;
}

bool Endpoint::loopback() const {
  boost::system::error_code failed;
  const auto parsed = boost::asio::ip::make_address(address, failed);
  return !failed && parsed.is_loopback();
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Endpoint endpoint;
  auto address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']'))
    address = address.substr(1, address.size() - 2);
  else if (address.find(':') != std::string_view::npos)
    return std::nullopt;
  if (address.empty() || address == "*") address = "0.0.0.0";
  if (address == "localhost") address = "127.0.0.1";
  endpoint.address = address;
  boost::system::error_code failed;
  boost::asio::ip::make_address(endpoint.address, failed);
  const auto port = text.substr(colon + 1);
  const auto [end, wrong] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (failed || wrong != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  return endpoint;
}

}  // namespace lightship::app
