// The MQTT sink: measurements of each device at its own interval, delivered at least once.
//
// One coroutine makes messages from the cache and puts them into the outbox whether or not there is
// a broker; another keeps a session with one of the brokers and sends what waits, oldest first,
// with a window of unacknowledged ones. What a lost session had not acknowledged is sent again in
// order.
#pragma once

#include <memory>

#include "core/backoff.h"
#include "core/part.h"
#include "link/mqtt.h"
#include "sinks/mqtt/config.h"
#include "store/outbox.h"
#include "store/sequence.h"

namespace lightship::mqtt {

class MqttSink final : public Runner {
 public:
  MqttSink(Context& context, MqttConfig config, std::size_t outbox_bytes);

  ~MqttSink() override;

  Task<Error> run() override;
  Task<void> drain(Duration limit) override;
  void nudge() override;
  void describe_status(JsonWriter& json) const override;

 private:
  struct Feed {  // one device that is sent
    DeviceId device{};
    std::string topic, key;
    int qos = 1;
    bool retain = false;
    Duration interval{};
    MonoTime due = MonoTime::max();
    bool told = false;        // there was news of the device
    std::vector<Value> sent;  // the values of the newest message, for sending on change
  };
  // Survives a restart of the sink: what waits, and the numbers given.
  struct Kept {
    explicit Kept(std::size_t bytes) : outbox(bytes) {}
    Outbox outbox;
    std::unique_ptr<SequenceStore> sequences;
  };
  Task<Result<void>> open_sequences();
  void find_feeds();   // what the catalog says now; a feed that is known already goes on
  Task<void> make();   // messages, at their times
  Task<void> watch();  // the bus, for first news and changes
  Task<void> queue(Feed& feed);
  bool moved(const Feed& feed) const;

  Task<void> deliver();
  Task<Result<void>> session(const BrokerConfig& broker);
  Task<void> pump();
  void send(Outbox::Message& message);
  Task<void> watch_loss();
  link::MqttSettings settings(const BrokerConfig& broker) const;
  std::string status_payload(std::string_view state) const;

  Context& context_;
  MqttConfig config_;
  Log log_;
  std::shared_ptr<Kept> kept_;
  std::vector<Feed> feeds_;
  std::string status_topic_;
  std::shared_ptr<link::MqttClient> client_;
  asio::steady_timer making_, pumping_, retrying_;  // woken when there is something to do
  std::unique_ptr<Heartbeat> heart_make_, heart_deliver_;
  Backoff backoff_;
  std::uint64_t generation_ = 0;  // of the session; answers of older ones are passed over
  MonoTime oldest_sent_{};        // when the oldest unacknowledged message left
  bool stopping_ = false, lost_ = false, feeds_stale_ = false;
  std::string broker_name_, last_error_, why_lost_;
  Time connected_at_{};
  Counter &published_, &acknowledged_, &refused_, &unmade_, &sessions_, &failures_;
};

}  // namespace lightship::mqtt
