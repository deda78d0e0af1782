// Declares the keys of mqtt_config.
#include "sinks/mqtt/config.h"

#include "sinks/mqtt/topic.h"

namespace lightship::mqtt {
namespace {

// A further broker says only what differs from the first; here what both have.
void describe_broker(config::Fields& f, BrokerConfig& c) {
  if (!f.describing()) c.at = f.position();
  f.value("host", c.host, "name or address of the broker").required().sized(1);
  f.value("port", c.port, "its port: usually 1883, 8883 with TLS").between(1, 65535);
  f.choice("transport", c.transport,
           {{"tcp", Transport::tcp}, {"websockets", Transport::websockets}}, "how MQTT travels");
  f.value("path", c.path, "the path of the WebSocket")
      .only_with(c.transport == Transport::websockets, "transport websockets");
  f.value("use_tls", c.use_tls, "encrypt the connection");
  f.value("tls_verify", c.tls_verify, "check the broker's certificate and name");
  f.value("ca_file", c.ca_file, "authorities to trust (PEM); absent: the system's")
      .example("ca.pem");
  f.value("cert_file", c.cert_file, "our own certificate (PEM), where the broker asks for one")
      .example("client.pem");
  f.value("key_file", c.key_file, "its private key (PEM)").example("client.key");
  f.value("username", c.username, "user name at the broker");
  f.value("password", c.password, "its password").example("!secret mqtt");
  f.check(c.tls_verify || c.use_tls, "tls_verify",
          "tls_verify has a meaning only with use_tls: true");
  f.check(c.key_file.empty() || !c.cert_file.empty(), "key_file",
          "key_file needs cert_file beside it");
}

}  // namespace

void describe(config::Fields& f, BrokerConfig& c) { describe_broker(f, c); }

void describe(config::Fields& f, TopicConfig& c) {
  c.at = f.describing() ? config::Position{} : f.position();
  f.value("measurements", c.measurements, "topic of measurement messages")
      .example("site/{connection_id}/{client_id}");
  f.value("alerts", c.alerts,
          "topic of alert messages; type host: those of the gateway itself, else all get them")
      .example("site/alerts");
  f.choice("shape", c.shape,
           {{"grouped", Shape::grouped}, {"flat", Shape::flat}, {"per_point", Shape::per_point}},
           "grouped: values in `measurements`; flat: beside the envelope; per_point: a message for "
           "each point, and the topic may have {point}");
  f.value("qos", c.qos, "0 or 1; absent: mqtt_config.qos").between(0, 1);
  f.value("retain", c.retain, "the broker keeps the newest message; absent: mqtt_config.retain");
  if (f.describing()) return;
  if (!c.measurements.empty()) {
    const auto wrong = c.shape == Shape::per_point
                           ? check_topic(c.measurements, kAlertPlaceholders)
                           : check_topic(c.measurements, kMeasurementPlaceholders);
    if (wrong) f.error("measurements", *wrong);
  }
  if (!c.alerts.empty()) {
    if (const auto wrong = check_topic(c.alerts, kAlertPlaceholders)) f.error("alerts", *wrong);
  }
}

void describe(config::Fields& f, MqttConfig& c) {
  f.value("enabled", c.enabled, "send to the broker; off: nothing is made, what waits stays");
  describe_broker(f, c);
  f.choice("protocol_version", c.protocol_version,
           {{"3.1.1", Version::v3_1_1},
            {"5", Version::v5},
            {"3", Version::v3_1_1},
            {"4", Version::v3_1_1}},
           "MQTT version");
  f.value("client_id", c.client_id, "our name at the broker; must be ours alone").sized(1);
  f.value("keepalive", c.keepalive,
          "silence after which broker and we ask whether the other is there")
      .between(std::chrono::seconds(5), std::chrono::hours(1));
  f.value("qos", c.qos, "0: sent once; 1: kept until the broker has acknowledged").between(0, 1);
  f.value("retain", c.retain, "the broker keeps the newest measurement of each topic");
  f.value("status_topic", c.status_topic,
          "retained {\"state\":\"online\"|\"offline\"}; offline is also the last will");
  f.items("brokers", c.brokers, "further brokers, tried in order when the first does not answer");
  f.map("topics", c.topics, "topics by the type of a client").pattern_id();
  if (f.describing()) return;
  if (const auto wrong = check_topic(c.status_topic, kStatusPlaceholders))
    f.error("status_topic", *wrong);
  if (const auto wrong = check_placeholders(c.client_id, kStatusPlaceholders))
    f.error("client_id", *wrong);
}

}  // namespace lightship::mqtt
