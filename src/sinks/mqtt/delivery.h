// Delivery: a session with one of the brokers, kept up for ever; what waits is sent in order, with
// a window of unacknowledged messages. What a lost session had not acknowledged is sent again in
// order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/backoff.h"
#include "core/context.h"
#include "core/view.h"
#include "link/mqtt.h"
#include "sinks/mqtt/config.h"
#include "store/outbox_file.h"

namespace lightship::mqtt {

class Delivery {
 public:
  Delivery(Context& context, const MqttConfig& config, std::shared_ptr<OutboxQueue> queue);
  ~Delivery();
  Delivery(const Delivery&) = delete;

  Task<void> run();
  Task<void> drain(Duration limit);  // to the broker that is there, then goodbye
  void nudge();
  bool connected() const { return client_ && client_->connected(); }
  void describe_status(JsonWriter& json) const;
  void look(ServiceView& me) const;  // delivery_view.cpp

 private:
  Task<Result<void>> session(const BrokerConfig& broker);
  Task<void> pump();
  Task<void> watch_loss();
  void send(const OutboxMessage& message);
  void answered(std::uint64_t id, const std::string& topic, const Result<void>& done);
  void suspect();
  link::MqttSettings settings(const BrokerConfig& broker) const;
  std::string status_payload(std::string_view state) const;

  Context& context_;
  const MqttConfig& config_;
  Log log_;
  std::shared_ptr<OutboxQueue> queue_;
  std::string status_topic_;
  std::shared_ptr<link::MqttClient> client_;
  asio::steady_timer pumping_, retrying_;  // woken when there is something to do
  std::unique_ptr<Heartbeat> heart_;
  Backoff backoff_;
  std::uint64_t generation_ = 0;  // of the session; answers of older ones are passed over
  MonoTime progress_at_{};        // the newest acknowledgement, or the first message sent
  bool stopping_ = false, lost_ = false;
  // A message that ends the session each time it is sent would do so for ever.
  bool greeted_ = false;  // in this session the broker has acknowledged our status
  std::uint64_t acknowledged_here_ = 0, first_here_ = 0, suspect_ = 0;
  unsigned suspicions_ = 0;
  std::string broker_name_, last_error_, why_lost_;
  Time connected_at_{}, acknowledged_at_{};
  link::MqttClient::Stage failed_at_{};  // of the newest attempt that found no broker
  bool failing_ = false;
  Counter &acknowledged_, &refused_, &sessions_, &failures_;
};

}  // namespace lightship::mqtt
