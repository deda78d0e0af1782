// Runs both halves of the MQTT sink.
#include "sinks/mqtt/mqtt_sink.h"

#include "base/json_writer.h"
#include "store/outbox_status.h"

namespace lightship::mqtt {

MqttSink::MqttSink(Context& context, MqttConfig config, const OutboxFile::Settings& outbox)
    : context_(context),
      config_(std::move(config)),
      queue_(OutboxFile::of(context, outbox)->queue("mqtt")),
      messages_(context, config_, queue_),
      delivery_(context, config_, queue_) {
  context.metrics.gauge("sink_connected", "1 while there is a session", {{"sink", "mqtt"}},
                        [this] { return delivery_.connected() ? 1.0 : 0.0; });
}

MqttSink::~MqttSink() { context_.metrics.remove_gauges({"sink", "mqtt"}); }

Task<Error> MqttSink::run() {
  TaskGroup group(context_.executor);
  group.spawn(messages_.watch());
  group.spawn(messages_.make());
  group.spawn(delivery_.run());
  co_await group.run();
  co_return Error{Errc::closed, "stopped", 0};
}

Task<void> MqttSink::drain(Duration limit) {
  messages_.stop();
  co_await delivery_.drain(limit);
}

void MqttSink::nudge() {
  messages_.refresh();
  delivery_.nudge();
}

void MqttSink::describe_status(JsonWriter& json) const {
  delivery_.describe_status(json);
  json.member("devices", messages_.devices());
  describe_queue(json, *queue_);
}

void MqttSink::look(View&, ServiceView& me) const {
  me.title = "MQTT publisher";
  me.type = "mqtt";
  delivery_.look(me);
}

}  // namespace lightship::mqtt
