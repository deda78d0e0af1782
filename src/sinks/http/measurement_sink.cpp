// Makes measurement messages of one category's devices.
#include "sinks/http/measurement_sink.h"

#include "core/measurement.h"
#include "sinks/http/post.h"

namespace lightship::http {

using namespace std::chrono_literals;

namespace {

// A burst of every device after a reconnect; only the newest state of each is looked at anyway.
constexpr std::size_t kInletCapacity = 256;

std::string part_name(const std::string& category) { return "http/" + category; }

Courier::Settings courier_settings(const std::string& category,
                                   const MeasurementEndpoint& endpoint) {
  return {.name = part_name(category),
          .type = category,
          .alerts = false,
          .endpoint = endpoint,
          .batch = endpoint.batch,
          .batch_wait = endpoint.batch_wait};
}

}  // namespace

MeasurementSink::MeasurementSink(Context& context, const std::string& category,
                                 MeasurementEndpoint endpoint, const config::OutboxSettings& outbox)
    : context_(context),
      category_(category),
      endpoint_(std::move(endpoint)),
      log_(context.logbook, part_name(category)),
      outbox_(OutboxFile::of(context, outbox)),
      queue_(outbox_->queue(part_name(category))),
      feeds_(context.catalog, context.cache, context.clock,
             [this](const DeviceInfo& info) {
               return info.http.enabled && info.type == category_ ? &info.http : nullptr;
             }),
      courier_(context, courier_settings(category, endpoint_), queue_, post_of(context),
               precedence_of(context, category)),
      making_(context.executor),
      made_(context.metrics.counter("http_messages_total", "messages put into the outbox",
                                    {{"sink", part_name(category)}})) {}

Task<Error> MeasurementSink::run() {
  heart_ = context_.progress.enroll(part_name(category_) + "/messages");
  TaskGroup group(context_.executor);
  group.spawn(watch());
  group.spawn(make());
  group.spawn(courier_.run());
  co_await group.run();
  co_return Error{Errc::closed, "stopped", 0};
}

Task<void> MeasurementSink::watch() {
  const auto inlet = context_.bus.subscribe(part_name(category_), kInletCapacity);
  for (;;) {
    const auto event = co_await inlet->next();
    if (feeds_.heard(event->device)) making_.cancel();
  }
}

Task<void> MeasurementSink::make() {
  for (;;) {
    heart_->beat(60s);
    if (std::exchange(stale_, false)) feeds_.refresh();
    auto next = context_.clock.mono() + 20s;
    if (!stopping_) {
      next = std::min<MonoTime>(next, feeds_.serve([this](DeviceId device, Duration interval) {
        queue(device, interval);
      }));
    }
    if (!stale_) co_await context_.clock.sleep_unless_woken(next, making_);
  }
}

void MeasurementSink::queue(DeviceId device, Duration interval) {
  const auto& info = context_.catalog.info(device);
  for (auto& made : compose(endpoint_.shape, context_.device_id, context_.catalog, context_.cache,
                            device, context_.clock)) {
    OutboxMessage message;
    message.key = info.id();
    message.target = made.point.empty() ? info.id() : info.id() + "/" + made.point;
    message.open_json = std::move(made.open_json);
    message.timestamp = made.timestamp;
    message.interval = interval;
    if (queue_->push(std::move(message))) ++made_;
  }
}

Task<void> MeasurementSink::drain(Duration limit) {
  stopping_ = true;
  co_await courier_.drain(limit);
}

void MeasurementSink::nudge() {
  stale_ = true;
  making_.cancel();
  courier_.nudge();
}

void MeasurementSink::describe_status(JsonWriter& json) const {
  json.member("devices", feeds_.size());
  courier_.describe_status(json);
}

}  // namespace lightship::http
