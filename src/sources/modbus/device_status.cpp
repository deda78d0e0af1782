// A device as it is told to people and in /api/status.
#include "base/json_writer.h"
#include "base/text.h"
#include "codec/modbus/function.h"
#include "sources/modbus/device.h"

namespace lightship::poller {

using namespace std::chrono_literals;

std::string Device::condition() const {
  const auto interval = groups_.empty() ? setup_.info.poll_interval : groups_.front().of.interval;
  if (online_ && last_error_.code == Errc::refused &&
      last_error_at_ + 2 * interval > context_.clock.now()) {
    return "answers, with " + last_error_.text;
  }
  if (online_ && walk_failed_) return "no SunSpec models to read: " + walk_failed_->text;
  if (online_) return fmt::format("answers in {}", for_people(answer_time_.typical()));
  if (!polled_) return "not asked yet";
  if (!reachable_) return last_error_.text;
  if (last_error_.code == Errc::crc || heard_.crc > 0) {
    return "bytes with a bad check: look at baud rate, parity and termination";
  }
  if (heard_.unit > 0) return "answers from another unit: look at unit_id";
  if (last_error_.code == Errc::timeout)
    return "no bytes at all: look at wiring, power and unit_id";
  return last_error_.text;
}

double Device::achieved_per_minute(const Group& group) const {
  if (group.pace == Duration{}) return 0;
  const auto since = std::chrono::duration_cast<Duration>(context_.clock.mono() - group.begun);
  // One that is overdue is slower than it was.
  const auto pace = since > 2 * group.pace ? since : group.pace;
  return 60'000 / to_ms(pace);
}

void Device::describe_polling(JsonWriter& json) const {
  json.key("groups").begin_array();
  for (const auto& group : groups_) {
    std::size_t requests = 0;
    for (const auto& block : *group.of.blocks) requests += block.hole < 0 ? 1 : 0;
    json.begin_object();
    json.member("interval_ms", to_ms(group.of.interval)).member("alarm", group.of.alarm);
    json.member("points", group.of.points.size()).member("requests", requests);
    json.key("configured_per_minute").value(Real{60'000 / to_ms(group.of.interval), 2});
    json.key("achieved_per_minute").value(Real{achieved_per_minute(group), 2});
    json.end_object();
  }
  json.end_array();
}

double Device::achieved() const {
  double configured = 0, achieved = 0;
  for (const auto& group : groups_) {
    configured += 60'000 / to_ms(group.of.interval);
    achieved += achieved_per_minute(group);
  }
  return configured > 0 ? achieved / configured : 0;
}

void Device::describe_status(JsonWriter& json, const Clock& clock) const {
  std::size_t requests = 0;
  for (const auto& group : groups_) {
    for (const auto& block : *group.of.blocks) requests += block.hole < 0 ? 1 : 0;
  }
  json.begin_object();
  json.member("id", setup_.info.id());
  json.member("label", setup_.info.label);
  json.member("type", setup_.info.type);
  json.member("model", setup_.info.model);
  json.member("unit_id", static_cast<int>(setup_.info.unit));
  json.member("online", online_);
  json.member("condition", condition());
  json.member("poll_interval_ms", to_ms(setup_.info.poll_interval));
  json.member("requests_per_poll", requests);
  describe_polling(json);
  json.member("answer_ms", to_ms(answer_time_.typical()));
  json.member("timeout_ms", to_ms(patience(0)));
  json.member("poll_ms", to_ms(last_poll_));
  json.key("last_answer");
  if (last_answer_at_ == Time{})
    json.null();
  else
    json.value(to_rfc3339(last_answer_at_));
  json.key("age_ms");
  if (last_answer_at_ == Time{})
    json.null();
  else
    json.value((clock.now() - last_answer_at_) / 1ms);
  json.key("next_probe_ms");
  if (is_silent() && !probing_)
    json.value(std::max<std::int64_t>(0, (probe_due() - clock.mono()) / 1ms));
  else
    json.null();
  count_.describe(json);
  json.key("learned");
  memory_.describe(json, pause_.pause());
  if (!last_error_.text.empty()) {
    json.member("last_error", last_error_.text).member("last_error_at", to_rfc3339(last_error_at_));
  }
  json.end_object();
}

}  // namespace lightship::poller
