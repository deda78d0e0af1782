// The MQTT sink: measurements of each device at its own interval and alerts, delivered at least
// once. One half makes messages, the other delivers them; between them is the queue on disk.
#pragma once

#include <memory>

#include "core/part.h"
#include "sinks/mqtt/config.h"
#include "sinks/mqtt/delivery.h"
#include "sinks/mqtt/messages.h"

namespace lightship::mqtt {

class MqttSink final : public Runner {
 public:
  MqttSink(Context& context, MqttConfig config, const OutboxFile::Settings& outbox);
  ~MqttSink() override;

  Task<Error> run() override;
  Task<void> drain(Duration limit) override;
  void nudge() override;
  void describe_status(JsonWriter& json) const override;
  void look(View& view, ServiceView& me) const override;

 private:
  Context& context_;
  MqttConfig config_;
  std::shared_ptr<OutboxQueue> queue_;
  Messages messages_;
  Delivery delivery_;
};

}  // namespace lightship::mqtt
