// The MQTT sink as the house sees it: communication.mqtt_config.
#include "config/module.h"
#include "base/text.h"
#include "sinks/mqtt/mqtt_sink.h"

namespace lightship::mqtt {
namespace {

constexpr const char* kFile = "communication.yaml";

class MqttModule final : public config::Module {
 public:
  void declare(config::SiteFiles& files) override {
    files.section(kFile, "communication.mqtt_config", "the MQTT broker and its topics",
                  [this](config::Fields& f) {
                    describe(f, config_);
                    if (f.describing()) return;
                    configured_ = true;
                    at_ = f.position();
                    fingerprint_ += config::fingerprint(f);
                  });
  }

  void gather(config::Site& site, config::Mistakes&) override {
    if (!configured_ || !config_.enabled) return;
    site.peers.push_back({"MQTT broker", config_.host, config_.port});
    for (const auto& broker : config_.brokers)
      site.peers.push_back({"further MQTT broker", broker.host, broker.port});
  }

  void check(const config::Site& site, config::Mistakes& mistakes) override {
    if (configured_ && !config_.enabled) return;
    const auto look = [&](const BrokerConfig& c) {
      if (c.use_tls) check_files(site, {c.at, c.ca_file, c.cert_file, c.key_file}, mistakes);
    };
    look(config_);
    for (const auto& broker : config_.brokers) look(broker);
    std::vector<std::string> known;
    for (const auto& [type, topics] : config_.topics) known.push_back(type);
    for (const auto& device : site.devices) {
      const bool wanted = device.info.mqtt.enabled;
      // Who switched it off here and uses it elsewhere knows; who left everything out may not.
      if (!wanted && (!configured_ || device.info.http.enabled || device.info.exposed)) continue;
      if (!configured_) {
        mistakes.warning(
            device.at,
            fmt::format("device '{}' has mqtt_enabled, but communication.yaml has no mqtt_config: "
                        "it is not sent there",
                        device.info.id()));
        continue;
      }
      const auto topics = config_.topics.find(device.info.type);
      if (topics != config_.topics.end() && !topics->second.measurements.empty()) continue;
      auto& mistake = mistakes.warning(
          device.type_at,
          fmt::format("type '{}' of device '{}' has no topic in mqtt_config.topics: it is {}",
                      device.info.type, device.info.id(),
                      wanted ? "not sent to MQTT" : "polled, but goes nowhere"));
      mistake.found = device.info.type;
      mistake.expected = known.empty() ? "a type with topics" : "one of " + join(known, ", ");
      mistake.suggestion = nearest(device.info.type, known).value_or("");
    }
  }

  std::vector<Part> parts(const config::Site& site) override {
    if (!configured_ || !config_.enabled) return {};
    // Devices that come, go or are sent otherwise are taken over at a nudge, within the session.
    return {{"mqtt", Part::Kind::sink,
             fmt::format("{}{}{}{}{}", fingerprint_, site.device_id, site.outbox.max_size.bytes,
                         static_cast<int>(site.outbox.overflow), site.outbox.commit_every.count()),
             [config = config_, outbox = site.outbox](Context& context) -> std::unique_ptr<Runner> {
               return std::make_unique<MqttSink>(context, config, outbox);
             }}};
  }

 private:
  MqttConfig config_;
  bool configured_ = false;
  config::Position at_;
  std::string fingerprint_;
};

}  // namespace
}  // namespace lightship::mqtt

namespace lightship {
std::unique_ptr<config::Module> make_sink_mqtt() { return std::make_unique<mqtt::MqttModule>(); }
}  // namespace lightship
