// Books, closes, writes and reads again.
#include "store/alert_book.h"

#include <algorithm>
#include <cerrno>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace lightship {
namespace {

constexpr std::size_t kLargestFile = 4 << 20;
constexpr const char* kHeirloom = "alert-book";
constexpr const char* kOffline = "device-offline";
constexpr const char* kFailing = "sink-failing";

void write(JsonWriter& json, const BookedAlert& alert) {
  const auto time = [&](std::string_view name, Time at) {
    json.member(name, at.time_since_epoch().count());
  };
  json.begin_object().member("id", alert.id).member("rule", alert.rule);
  json.member("point", alert.point).member("device", alert.device);
  json.member("severity", static_cast<int>(alert.severity)).member("text", alert.text);
  json.member("value", alert.value).member("limit", alert.limit);
  time("since", alert.since);
  time("cleared", alert.cleared);
  json.member("by", alert.acknowledged_by).member("note", alert.note);
  time("acknowledged", alert.acknowledged_at);
  json.end_object();
}

std::string text_of(const boost::json::object& of, const char* name) {
  const auto* found = of.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}
std::int64_t number_of(const boost::json::object& of, const char* name) {
  const auto* found = of.if_contains(name);
  return found != nullptr && found->is_int64() ? found->as_int64() : 0;
}
BookedAlert alert_of(const boost::json::object& of) {
  BookedAlert alert;
  alert.id = static_cast<std::uint64_t>(std::max<std::int64_t>(number_of(of, "id"), 0));
  alert.rule = text_of(of, "rule");
  alert.point = text_of(of, "point");
  alert.device = text_of(of, "device");
  alert.severity =
      static_cast<Alert::Severity>(std::clamp<std::int64_t>(number_of(of, "severity"), 0, 2));
  alert.text = text_of(of, "text");
  alert.value = text_of(of, "value");
  alert.limit = text_of(of, "limit");
  alert.since = Time(Duration(number_of(of, "since")));
  alert.cleared = Time(Duration(number_of(of, "cleared")));
  alert.acknowledged_by = text_of(of, "by");
  alert.note = text_of(of, "note");
  alert.acknowledged_at = Time(Duration(number_of(of, "acknowledged")));
  return alert;
}

}  // namespace

AlertBook::AlertBook(Context& context)
    : context_(context),
      log_(context.logbook, "lightship"),
      file_(context.data_dir.empty() ? std::filesystem::path{} : context.data_dir / kFile) {}

std::shared_ptr<AlertBook> AlertBook::of(Context& context) {
  auto& kept = context.heirlooms[kHeirloom];
  if (!kept) kept = std::make_shared<AlertBook>(context);
  return std::static_pointer_cast<AlertBook>(kept);
}

BookedAlert& AlertBook::book(BookedAlert fresh) {
  auto& seen = active_[{fresh.rule, fresh.point}];
  seen.now = true;
  if (seen.alert.id == 0) {
    fresh.id = next_id_++;
    if (fresh.since == Time{}) fresh.since = context_.clock.now();
    seen.alert = std::move(fresh);
  } else {
    seen.alert.severity = fresh.severity;
    seen.alert.text = std::move(fresh.text);
    seen.alert.value = std::move(fresh.value);
  }
  return seen.alert;
}

// Seen at every look for as long as our patience lasts, or booked already.
bool AlertBook::is_steady(const Key& key) {
  if (active_.contains(key)) return true;
  pending_now_[key] = true;
  const auto [since, fresh] = pending_.emplace(key, context_.clock.mono());
  return context_.clock.mono() - since->second >= kPatience;
}

void AlertBook::look_at_field() {
  if (context_.viewed == nullptr) return;
  View view;
  context_.viewed->look(view);
  for (const auto& device : view.devices) {
    const Key key{kOffline, device.name};
    if (device.state == DeviceView::State::starting) {
      // Not known yet: what the last run has left holds until it is.
      if (const auto known = active_.find(key); known != active_.end()) known->second.now = true;
      continue;
    }
    if (device.state != DeviceView::State::offline || !is_steady(key)) continue;
    book({.rule = kOffline,
          .point = device.name,
          .device = device.name,
          .severity = Alert::Severity::critical,
          .text = fmt::format("{} does not answer: {}", device.label, device.condition),
          .value = std::string(to_string(device.trouble))});
  }
  for (const auto& service : view.services) {
    const bool stopped = service.life == "pausing";
    if (service.is_source && !stopped) continue;  // its devices say it
    const Key key{kFailing, service.name};
    if (service.state != ServiceView::State::alarm || !is_steady(key)) continue;
    book({.rule = kFailing,
          .point = service.name,
          .severity = Alert::Severity::warning,
          .text = fmt::format("{}: {}{}{}", service.title, to_lower(service.state_text),
                              service.error.empty() ? "" : ", ", service.error)});
  }
}

void AlertBook::look() {
  for (auto& [key, seen] : active_) seen.now = false;
  pending_now_.clear();
  for (const auto& alert : context_.alerts.active()) {
    BookedAlert fresh{.rule = alert.rule, .point = alert.point, .severity = alert.severity};
    fresh.text = alert.text;
    if (has_value(alert.value)) fresh.value = to_text(alert.value);
    if (has_value(alert.threshold)) fresh.limit = to_text(alert.threshold);
    fresh.since = alert.since;
    if (alert.device) fresh.device = context_.catalog.info(*alert.device).id();
    auto& booked = book(std::move(fresh));
    // Acknowledged in another way, or before the book was there.
    if (alert.state == Alert::State::acknowledged && !booked.is_acknowledged())
      booked.acknowledged_at = alert.at;
  }
  look_at_field();
  std::erase_if(pending_, [&](const auto& one) { return !pending_now_.contains(one.first); });
  close_what_is_over();
}

void AlertBook::close_what_is_over() {
  for (auto at = active_.begin(); at != active_.end();) {
    const auto one = at++;
    if (one->second.now) continue;
    one->second.alert.cleared = context_.clock.now();
    cleared_.push_front(std::move(one->second.alert));
    active_.erase(one);
  }
  if (cleared_.size() > kMostCleared) cleared_.resize(kMostCleared);
}

std::vector<BookedAlert> AlertBook::active() const {
  std::vector<BookedAlert> all;
  for (const auto& [key, seen] : active_) all.push_back(seen.alert);
  std::ranges::sort(all, std::ranges::greater{}, &BookedAlert::id);
  if (all.size() > kMostActive) all.resize(kMostActive);
  return all;
}

Task<Result<void>> AlertBook::record(const BookedAlert& alert, const std::string& by,
                                     const std::string& note) {
  if (context_.audit == nullptr) co_return Result<void>();
  co_return co_await context_.audit->record(
      "alert_acknowledged",
      [&](JsonWriter& json) {
        json.member("by", by).member("rule", alert.rule).member("point", alert.point);
        json.member("note", note);
      },
      Audit::Durability::kept);
}

Task<Result<void>> AlertBook::acknowledge(std::uint64_t id, std::string by, std::string note) {
  const auto find = [&] {
    return std::ranges::find_if(active_,
                                [&](const auto& one) { return one.second.alert.id == id; });
  };
  auto found = find();
  if (found == active_.end())
    co_return fail(Errc::invalid, "there is no active alert {}: it is over, or never was", id);
  if (const auto& known = found->second.alert; known.is_acknowledged()) {
    const auto& who = known.acknowledged_by;
    co_return fail(Errc::refused, "alert {} is acknowledged already{}{}", id,
                   who.empty() ? "" : ", by ", who);
  }
  const auto rule = found->second.alert.rule, point = found->second.alert.point;
  if (!being_acknowledged_.insert(id).second)
    co_return fail(Errc::refused, "alert {} is being acknowledged by somebody else", id);
  // However the writing ends: the next may try.
  struct Over {
    std::set<std::uint64_t>& all;
    std::uint64_t id;
    ~Over() { all.erase(id); }
  } const over{being_acknowledged_, id};
  if (const auto kept = co_await record(found->second.alert, by, note); !kept)
    co_return fail(Errc::unavailable, "not acknowledged, because the audit cannot be written: {}",
                   kept.error().text);
  found = find();  // it may be over meanwhile
  if (found == active_.end()) co_return Result<void>();
  auto& alert = found->second.alert;
  alert.acknowledged_by = std::move(by);
  alert.acknowledged_at = context_.clock.now();
  alert.note = std::move(note);
  context_.alerts.acknowledge(rule, point);
  co_return Result<void>();
}

std::string AlertBook::text() const {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("next", next_id_).key("alerts").begin_array();
  for (const auto& [key, seen] : active_) write(json, seen.alert);
  for (const auto& alert : cleared_) write(json, alert);
  json.end_array().end_object();
  text += '\n';
  return text;
}

Result<void> AlertBook::adopt(std::string_view text) {
  boost::system::error_code failed;
  const auto tree = boost::json::parse(text, failed);
  const auto* all = tree.is_object() ? tree.as_object().if_contains("alerts") : nullptr;
  if (failed || all == nullptr || !all->is_array())
    return fail(Errc::invalid, "{} is not a list of alerts", file_.string());
  for (const auto& one : all->as_array()) {
    if (!one.is_object()) continue;
    auto alert = alert_of(one.as_object());
    if (alert.rule.empty() || alert.id == 0) continue;
    next_id_ = std::max(next_id_, alert.id + 1);
    if (alert.is_cleared()) {
      if (cleared_.size() < kMostCleared) cleared_.push_back(std::move(alert));
    } else if (active_.size() < kMostActive) {
      const Key key{alert.rule, alert.point};
      active_[key] = {std::move(alert), true};
    }
  }
  return {};
}

void AlertBook::recall() {
  if (file_.empty()) return;
  const auto content = read_file(file_, kLargestFile);
  if (!content && content.error().detail == ENOENT) return;
  const auto done = content ? adopt(*content) : Result<void>(fail(content.error()));
  if (!done) log_.warn("the history of alerts is not known", field("why", done.error().text));
}

Task<void> AlertBook::run() {
  recall();
  bool failing = false;
  for (;;) {
    co_await context_.clock.sleep_for(kLook);
    look();
    if (file_.empty()) continue;
    auto now = text();
    if (now == written_) continue;
    const auto done =
        co_await context_.files.run([file = file_, now] { return write_file_atomic(file, now); });
    if (done) written_ = std::move(now);
    if (!done && !failing)
      log_.warn("the history of alerts cannot be kept", field("why", done.error().text));
    failing = !done;
  }
}

}  // namespace lightship
