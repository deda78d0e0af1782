// Makes measurement and alert messages.
#include "sinks/mqtt/messages.h"

#include <algorithm>

#include "core/alert_message.h"
#include "core/measurement.h"
#include "sinks/mqtt/topic.h"

namespace lightship::mqtt {

using namespace std::chrono_literals;

namespace {

// A burst after a reconnect of every device; the sink only looks at the newest state of each
// anyway.
constexpr std::size_t kInletCapacity = 256;
// An alert of the gateway itself has no interval of a device.
constexpr Duration kAlertInterval = 60s;
// An alert that the outbox did not take is offered to it again so soon.
constexpr Duration kAgain = 1s;

}  // namespace

Messages::Messages(Context& context, const MqttConfig& config, std::shared_ptr<OutboxQueue> queue)
    : context_(context),
      config_(config),
      log_(context.logbook, "mqtt"),
      queue_(std::move(queue)),
      feeds_(context.catalog, context.cache, context.clock,
             [this](const DeviceInfo& info) -> const Publishing* {
               const auto* topics = topics_of(info);
               const bool sent =
                   info.mqtt.enabled && topics != nullptr && !topics->measurements.empty();
               return sent ? &info.mqtt : nullptr;
             }),
      bell_(context.executor),
      made_(context.metrics.counter("mqtt_messages_total", "messages put into the outbox")),
      unmade_(
          context.metrics.counter("mqtt_unmade_total",
                                  "messages not made because the disk took nothing and memory was "
                                  "full")) {
  for (const auto& [type, topics] : config_.topics) {
    if (!topics.alerts.empty()) alert_types_.push_back(type);
  }
  auto& heirloom = context.heirlooms["mqtt/alerts"];
  if (!heirloom) heirloom = std::make_shared<std::uint64_t>(0);
  told_ = std::static_pointer_cast<std::uint64_t>(heirloom);
  following_ = context.alerts.follow(told_);
  listening_ = context.alerts.listen([this] { bell_.cancel(); });
}

const TopicConfig* Messages::topics_of(const DeviceInfo& info) const {
  const auto topics = config_.topics.find(info.type);
  return topics == config_.topics.end() ? nullptr : &topics->second;
}

void Messages::refresh() {
  stale_ = true;
  bell_.cancel();
}

Task<void> Messages::watch() {
  const auto inlet = context_.bus.subscribe("mqtt", kInletCapacity);
  for (;;) {
    const auto event = co_await inlet->next();
    if (feeds_.heard(event->device)) bell_.cancel();
  }
}

Task<void> Messages::make() {
  const auto heart = context_.progress.enroll("mqtt/messages");
  const auto queue_one = [this](DeviceId device, Duration interval) {
    queue_measurement(device, interval);
  };
  feeds_.refresh();
  while (!stopping_) {
    heart->beat(60s);
    if (std::exchange(stale_, false)) feeds_.refresh();
    const bool all_taken = queue_alerts();
    const auto next = feeds_.serve(queue_one);
    const auto latest = context_.clock.mono() + (all_taken ? Duration(20s) : kAgain);
    co_await context_.clock.sleep_unless_woken(std::min(next, latest), bell_);
  }
}

void Messages::queue_measurement(DeviceId device, Duration interval) {
  const auto& info = context_.catalog.info(device);
  const auto& topics = *topics_of(info);
  for (auto& composed : compose(topics.shape, context_.device_id, context_.catalog, context_.cache,
                                device, context_.clock)) {
    OutboxMessage message;
    message.key = info.id();
    message.target = fill(topics.measurements, {{"device_id", context_.device_id},
                                                {"connection_id", info.connection},
                                                {"client_id", info.client},
                                                {"type", info.type},
                                                {"point", topic_level(composed.point)}});
    message.open_json = std::move(composed.open_json);
    message.timestamp = composed.timestamp;
    message.interval = interval;
    message.qos = topics.qos.value_or(config_.qos);
    message.retain = topics.retain.value_or(config_.retain);
    push(std::move(message));
  }
}

bool Messages::queue_alerts() {
  return context_.alerts.pass_on(*told_, [this](const Alert& alert) { return queue_alert(alert); });
}

bool Messages::queue_alert(const Alert& alert) {
  const auto origin = origin_of(context_.catalog, alert);
  std::vector<std::string> sent;  // the same topic may stand under several types
  for (const auto& type : types_for(context_.catalog, alert, alert_types_)) {
    const auto& topics = config_.topics.at(type);
    OutboxMessage message;
    message.lane = Lane::alarm;
    message.target = fill(topics.alerts, {{"device_id", context_.device_id},
                                          {"connection_id", origin.connection},
                                          {"client_id", origin.client},
                                          {"type", origin.type},
                                          {"point", topic_level(origin.point)}});
    if (std::ranges::find(sent, message.target) != sent.end()) continue;
    sent.push_back(message.target);
    message.open_json = compose_alert(context_.device_id, context_.catalog, alert);
    message.timestamp = alert.at;
    message.interval =
        alert.device ? std::max(context_.catalog.info(*alert.device).mqtt.interval, Duration(1s))
                     : kAlertInterval;
    message.qos = topics.qos.value_or(config_.qos);
    message.retain = topics.retain.value_or(config_.retain);
    if (!push(std::move(message))) return false;  // all of its topics once more
  }
  return true;
}

bool Messages::push(OutboxMessage message) {
  const bool alarm = message.lane == Lane::alarm;
  if (queue_->push(std::move(message))) {
    ++made_;
    return true;
  }
  if (alarm) return false;  // it is tried again
  ++unmade_;
  log_.error("no message is made: the disk takes nothing and memory for it is full");
  return false;
}

}  // namespace lightship::mqtt
