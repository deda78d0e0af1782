// The HTTP sink as the house sees it: communication.api_endpoints, one part for each endpoint.
#include "config/module.h"
#include "base/text.h"
#include "sinks/http/alert_sink.h"
#include "sinks/http/measurement_sink.h"
#include "sinks/http/url.h"

namespace lightship::http {
namespace {

constexpr const char* kFile = "communication.yaml";

class HttpModule final : public config::Module {
 public:
  void declare(config::SiteFiles& files) override {
    files.section(kFile, "communication", "where data goes", [this](config::Fields& f) {
      f.map("api_endpoints", endpoints_, "HTTP endpoints by the type of a client").pattern_id();
    });
  }

  void gather(config::Site& site, config::Mistakes&) override {
    for (const auto& [type, category] : endpoints_) {
      if (category.measurements && category.measurements->enabled)
        add_peer(site, "HTTP endpoint " + type, category.measurements->url);
      if (category.alerts && category.alerts->enabled)
        add_peer(site, "HTTP endpoint " + type + ", alerts", category.alerts->url);
    }
  }

  void check(const config::Site& site, config::Mistakes& mistakes) override {
    std::vector<std::string> known;
    for (const auto& [type, category] : endpoints_) {
      if (category.measurements) known.push_back(type);
    }
    for (const auto& device : site.devices) {
      if (device.info.http.enabled) check(device, known, mistakes);
    }
    for (const auto& [type, category] : endpoints_) {
      if (category.measurements) check_files(site, *category.measurements, mistakes);
      if (category.alerts) check_files(site, *category.alerts, mistakes);
      const bool used = std::ranges::any_of(site.devices, [&](const auto& device) {
        return device.info.type == type && device.info.http.enabled;
      });
      if (category.measurements && category.measurements->enabled && !used &&
          !site.devices.empty()) {
        mistakes.note(category.at,
                      fmt::format("no device with http_enabled is of type '{}': nothing "
                                  "is sent to this endpoint",
                                  type));
      }
    }
  }

  std::vector<Part> parts(const config::Site& site) override {
    std::vector<Part> parts;
    std::vector<std::string> with_alerts;
    for (const auto& [type, category] : endpoints_) {
      if (category.alerts && category.alerts->enabled) with_alerts.push_back(type);
    }
    // A change of one endpoint restarts that one alone.
    const auto mark =
        fmt::format("{}/{}/{}/{}", site.device_id, site.outbox.max_size.bytes,
                    static_cast<int>(site.outbox.overflow), site.outbox.commit_every.count());
    for (const auto& [type, category] : endpoints_) {
      // The alerts come first, so that they are there when measurements look for them.
      if (category.alerts && category.alerts->enabled) {
        parts.push_back({"http/" + type + "/alerts", Part::Kind::sink,
                         mark + category.alerts->mark + join(with_alerts, ","),
                         [type, endpoint = *category.alerts, with_alerts,
                          outbox = site.outbox](Context& context) -> std::unique_ptr<Runner> {
                           return std::make_unique<AlertSink>(context, type, endpoint, with_alerts,
                                                              outbox);
                         }});
      }
      if (category.measurements && category.measurements->enabled) {
        parts.push_back({"http/" + type, Part::Kind::sink, mark + category.measurements->mark,
                         [type, endpoint = *category.measurements,
                          outbox = site.outbox](Context& context) -> std::unique_ptr<Runner> {
                           return std::make_unique<MeasurementSink>(context, type, endpoint,
                                                                    outbox);
                         }});
      }
    }
    return parts;
  }

 private:
  static void add_peer(config::Site& site, std::string name, const std::string& url) {
    if (auto server = server_of(url))
      site.peers.push_back({std::move(name), std::move(server->host), server->port});
  }
  static void check_files(const config::Site& site, const EndpointConfig& c,
                          config::Mistakes& mistakes) {
    if (c.enabled) config::check_files(site, {c.at, c.ca_file, c.cert_file, c.key_file}, mistakes);
  }
  void check(const config::Site::Device& device, const std::vector<std::string>& known,
             config::Mistakes& mistakes) {
    const auto& type = device.info.type;
    const auto of_type = type == "default" ? std::string("no type, which means 'default'")
                                           : fmt::format("type '{}'", type);
    if (std::ranges::find(known, type) == known.end()) {
      auto& mistake = mistakes.warning(
          device.type_at, fmt::format("device '{}' has http_enabled and {}, but communication.yaml "
                                      "has no api_endpoints.{}.measurements: not sent over HTTP",
                                      device.info.id(), of_type, type));
      mistake.found = type;
      mistake.expected = known.empty() ? "a type with an endpoint" : "one of " + join(known, ", ");
      mistake.suggestion = nearest(type, known).value_or("");
    } else if (!endpoints_.at(type).measurements->enabled) {
      mistakes.note(device.type_at, fmt::format("device '{}' is not sent over HTTP: "
                                                "api_endpoints.{}.measurements has enabled: false",
                                                device.info.id(), type));
    } else if (type == "default") {
      mistakes.note(device.type_at,
                    fmt::format("device '{}' has {}: it is sent to api_endpoints.default",
                                device.info.id(), of_type));
    }
  }

  Endpoints endpoints_;
};

}  // namespace
}  // namespace lightship::http

namespace lightship {
std::unique_ptr<config::Module> make_sink_http() { return std::make_unique<http::HttpModule>(); }
}  // namespace lightship
