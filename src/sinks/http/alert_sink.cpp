// Takes changes from the board of alerts into the queue.
#include "sinks/http/alert_sink.h"

#include "core/alert_message.h"
#include "sinks/http/post.h"

namespace lightship::http {
namespace {

std::string part_name(const std::string& category) { return "http/" + category + "/alerts"; }

}  // namespace

AlertSink::AlertSink(Context& context, const std::string& category, EndpointConfig endpoint,
                     std::vector<std::string> categories, const config::OutboxSettings& outbox)
    : context_(context),
      category_(category),
      categories_(std::move(categories)),
      outbox_(OutboxFile::of(context, outbox)),
      queue_(outbox_->queue(part_name(category))),
      courier_(context,
               {.name = part_name(category),
                .type = category,
                .alerts = true,
                .endpoint = std::move(endpoint)},
               queue_, post_of(context), precedence_of(context, category)),
      made_(context.metrics.counter("http_messages_total", "messages put into the outbox",
                                    {{"sink", part_name(category)}})) {
  auto& kept = context.heirlooms[part_name(category)];
  if (!kept) kept = std::make_shared<std::uint64_t>(0);
  told_ = std::static_pointer_cast<std::uint64_t>(kept);
  following_ = context.alerts.follow(told_);
}

Task<Error> AlertSink::run() {
  listening_ = context_.alerts.listen([this] { take(); });
  TaskGroup group(context_.executor);
  group.spawn(retry());
  group.spawn(courier_.run());
  co_await group.run();
  co_return Error{Errc::closed, "stopped", 0};
}

Task<void> AlertSink::retry() {
  for (;;) {
    take();
    co_await context_.clock.sleep_for(kAgain);
  }
}

bool AlertSink::take() {
  return context_.alerts.pass_on(*told_, [this](const Alert& alert) {
    const auto types = types_for(context_.catalog, alert, categories_);
    if (std::ranges::find(types, category_) == types.end()) return true;
    const auto origin = origin_of(context_.catalog, alert);
    OutboxMessage message;
    message.lane = Lane::alarm;
    message.key = "alerts";
    message.target = fmt::format("{}/{}/{}", origin.connection, origin.client, origin.point);
    message.open_json = compose_alert(context_.device_id, context_.catalog, alert);
    message.timestamp = alert.at;
    message.interval = kLate;
    if (!queue_->push(std::move(message))) return false;
    ++made_;
    return true;
  });
}

}  // namespace lightship::http
