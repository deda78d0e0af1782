// Writes alerts.json and reads it again.
#include "store/alert_memory.h"

#include <algorithm>
#include <cerrno>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json_writer.h"
#include "core/alert_message.h"
#include "store/outbox_file.h"

namespace lightship {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kLargestFile = 4 << 20;

std::int64_t micros(Time time) { return time.time_since_epoch().count(); }

void write(JsonWriter& json, const Alert& alert, const std::optional<Alert::Whose>& whose,
           bool told) {
  json.begin_object().member("rule", alert.rule).member("point", alert.point);
  if (whose) {
    json.key("of").begin_array().value(whose->connection).value(whose->client).value(whose->type);
    json.end_array();
  }
  json.key("value").value(alert.value).key("threshold").value(alert.threshold);
  json.member("severity", static_cast<int>(alert.severity));
  json.member("state", to_string(alert.state));
  json.member("since", micros(alert.since)).member("at", micros(alert.at));
  json.member("text", alert.text).member("told", told).end_object();
}

Value value_of(const boost::json::value* json) {
  if (json == nullptr) return {};
  if (json->is_bool()) return json->as_bool();
  if (json->is_int64()) return json->as_int64();
  if (json->is_uint64()) return json->as_uint64();
  if (json->is_double()) return Real{json->as_double()};
  if (json->is_string()) return std::string(json->as_string());
  return {};
}

std::string text_of(const boost::json::object& of, const char* name) {
  const auto* found = of.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

Time time_of(const boost::json::object& of, const char* name) {
  const auto* found = of.if_contains(name);
  return Time(Duration(found != nullptr && found->is_int64() ? found->as_int64() : 0));
}

Alert alert_of(const boost::json::object& of) {
  Alert alert;
  alert.rule = text_of(of, "rule");
  alert.point = text_of(of, "point");
  alert.text = text_of(of, "text");
  alert.value = value_of(of.if_contains("value"));
  alert.threshold = value_of(of.if_contains("threshold"));
  const auto severity = of.if_contains("severity");
  if (severity != nullptr && severity->is_int64())
    alert.severity =
        static_cast<Alert::Severity>(std::clamp<std::int64_t>(severity->as_int64(), 0, 2));
  const auto state = text_of(of, "state");
  for (const auto known : {Alert::State::acknowledged, Alert::State::cleared}) {
    if (state == to_string(known)) alert.state = known;
  }
  alert.since = time_of(of, "since");
  alert.at = time_of(of, "at");
  const auto* whose = of.if_contains("of");
  if (whose != nullptr && whose->is_array() && whose->as_array().size() == 3) {
    const auto part = [&](std::size_t i) {
      const auto& one = whose->as_array()[i];
      return one.is_string() ? std::string(one.as_string()) : std::string();
    };
    alert.former = {part(0), part(1), part(2)};
  }
  return alert;
}

}  // namespace

AlertMemory::AlertMemory(Context& context)
    : context_(context),
      log_(context.logbook, "lightship"),
      file_(context.data_dir.empty() ? std::filesystem::path{} : context.data_dir / kFile) {}

void AlertMemory::hear() {
  const auto [last, changes] = context_.alerts.changes_since(heard_);
  heard_ = last - changes.size();
  for (const auto& alert : changes) {
    std::erase_if(unsettled_, [&](const Change& older) {
      return older.alert.rule == alert.rule && older.alert.point == alert.point;
    });
    unsettled_.push_back({.alert = alert, .number = ++heard_});
  }
  settle();
  const auto is_end = [](const Change& c) { return c.alert.state == Alert::State::cleared; };
  auto ends = static_cast<std::size_t>(std::ranges::count_if(unsettled_, is_end));
  for (; ends > kMostEnds; --ends) unsettled_.erase(std::ranges::find_if(unsettled_, is_end));
}

// Drops what is surely told: sinks have taken it, and the outbox holds what they made of it.
void AlertMemory::settle() {
  const auto known = context_.heirlooms.find("outbox");
  const auto outbox = known == context_.heirlooms.end()
                          ? nullptr
                          : std::static_pointer_cast<OutboxFile>(known->second);
  const auto passed = context_.alerts.passed();
  for (auto& change : unsettled_) {
    if (!change.pushed && change.number <= passed) change.pushed = outbox ? outbox->pushed() : 0;
  }
  std::erase_if(unsettled_, [&](const Change& change) {
    return change.pushed && (!outbox || outbox->settled() >= *change.pushed);
  });
}

std::string AlertMemory::text() {
  hear();
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("alerts").begin_array();
  for (const auto& alert : context_.alerts.active()) {
    const bool told = std::ranges::none_of(unsettled_, [&](const Change& change) {
      return change.alert.rule == alert.rule && change.alert.point == alert.point;
    });
    write(json, alert, whose_is(context_.catalog, alert), told);
  }
  for (const auto& change : unsettled_) {
    if (change.alert.state == Alert::State::cleared)
      write(json, change.alert, whose_is(context_.catalog, change.alert), false);
  }
  json.end_array().end_object();
  text += '\n';
  return text;
}

Result<void> AlertMemory::adopt(std::string_view text) {
  boost::system::error_code failed;
  const auto tree = boost::json::parse(text, failed);
  const auto* all = tree.is_object() ? tree.as_object().if_contains("alerts") : nullptr;
  if (failed || all == nullptr || !all->is_array())
    return fail(Errc::invalid, "{} is not a list of alerts", file_.string());
  for (const auto& one : all->as_array()) {
    if (!one.is_object()) continue;
    auto alert = alert_of(one.as_object());
    if (alert.rule.empty()) continue;
    const auto* told = one.as_object().if_contains("told");
    context_.alerts.remember(std::move(alert),
                             told != nullptr && told->is_bool() && told->as_bool());
  }
  return {};
}

void AlertMemory::recall() {
  if (file_.empty()) return;
  const auto content = read_file(file_, kLargestFile);
  if (!content && content.error().detail == ENOENT) return;
  const auto done = content ? adopt(*content) : fail(content.error());
  if (!done)
    log_.warn("alerts of the last run are not known; receivers may hear of some once more",
              field("why", done.error().text));
}

Task<void> AlertMemory::run() {
  if (file_.empty()) co_return;
  const auto forgotten_at = context_.clock.mono() + kForgotten;
  bool looked = false, failing = false;
  for (;;) {
    if (!looked && context_.clock.mono() >= forgotten_at) {
      looked = true;
      if (const auto gone = context_.alerts.clear_forgotten(); gone > 0)
        log_.info("alerts of the last run are over", field("alerts", gone));
    }
    auto now = text();
    if (now != written_) {
      const auto done =
          co_await context_.files.run([file = file_, now] { return write_file_atomic(file, now); });
      if (done) written_ = std::move(now);
      if (!done && !failing)
        log_.warn("alerts cannot be kept over a restart", field("why", done.error().text));
      failing = !done;
    }
    co_await context_.clock.sleep_for(1s);
  }
}

Task<void> AlertMemory::save() { return keep(file_.empty() ? std::string() : text()); }

Task<void> AlertMemory::keep(std::string now) {
  if (now.empty() || now == written_) co_return;
  auto writing = context_.files.run([file = file_, now] { return write_file_atomic(file, now); });
  if (const auto done = co_await std::move(writing); !done)
    log_.warn("alerts cannot be kept over a restart", field("why", done.error().text));
}

}  // namespace lightship
