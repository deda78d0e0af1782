// Answers from the meter's memory.
#include "portal/api/metrics.h"

#include "portal/api/query.h"
#include "portal/live/hub.h"
#include "portal/live/json_text.h"

namespace lightship::portal {
namespace {

constexpr int kMostMinutes = 1440;

Task<Response> answer(const Meter& meter, const Call& call) {
  Query query(call.request);
  const auto minutes = query.number("minutes", 1, kMostMinutes);
  if (query.problem()) co_return *query.problem();
  std::string text;
  append_json(text, minutes ? meter.with_past(std::chrono::minutes(*minutes)) : meter.now());
  co_return json_answer(std::move(text));
}

Task<Result<boost::json::value>> present(const Meter& meter) {
  co_return boost::json::value(meter.now());
}

}  // namespace

void add_metrics(Router& router, const Meter& meter) {
  router.add({"GET", "/api/metrics", Role::viewer,
              [&meter](const Call& call) { return answer(meter, call); }});
}

void add_metrics_topic(LiveHub& live, const Meter& meter) {
  StateTopic topic;
  topic.name = "metrics";
  topic.provider = [&meter](std::string) { return present(meter); };
  live.add(std::move(topic));
}

}  // namespace lightship::portal
