// What is sent: measurements of each device at its own interval, and changes of alerts; put into
// the queue whether or not there is a broker.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/feeds.h"
#include "sinks/mqtt/config.h"
#include "store/outbox_file.h"

namespace lightship::mqtt {

class Messages {
 public:
  Messages(Context& context, const MqttConfig& config, std::shared_ptr<OutboxQueue> queue);

  Task<void> make();   // at their times
  Task<void> watch();  // the bus, for first news and changes
  void refresh();      // devices came, went or are sent otherwise
  void stop() { stopping_ = true; }
  std::size_t devices() const { return feeds_.size(); }

 private:
  void queue_measurement(DeviceId device, Duration interval);
  bool queue_alerts();  // false: the outbox has no room for the next one now
  bool queue_alert(const Alert& alert);
  bool push(OutboxMessage message);
  const TopicConfig* topics_of(const DeviceInfo& info) const;

  Context& context_;
  const MqttConfig& config_;
  Log log_;
  std::shared_ptr<OutboxQueue> queue_;
  Feeds feeds_;
  std::vector<std::string> alert_types_;  // that have a topic for alerts
  std::shared_ptr<std::uint64_t> told_;   // changes of alerts so far; outlives a reload
  Alerts::Following following_;
  Alerts::Listening listening_;
  asio::steady_timer bell_;  // there is something to make
  bool stopping_ = false, stale_ = false;
  Counter &made_, &unmade_;
};

}  // namespace lightship::mqtt
