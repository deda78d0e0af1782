// The book of alerts, shown and acknowledged.
#include "portal/api/alerts.h"

#include <algorithm>
#include <charconv>

#include <boost/json/array.hpp>

#include "base/text.h"
#include "portal/live/hub.h"
#include "portal/shared_answer.h"
#include "portal/view_json.h"
#include "store/alert_book.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;

constexpr std::size_t kUsual = 100, kMost = 1000;
constexpr Duration kAckLimit = std::chrono::seconds(10);

struct Book {
  std::vector<BookedAlert> active;
  std::deque<BookedAlert> cleared;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

json::value or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object alert_json(const BookedAlert& alert) {
  json::object out;
  out["id"] = std::to_string(alert.id);
  out["rule"] = alert.rule;
  out["severity"] = to_string(alert.severity);
  out["state"] = alert.is_cleared()        ? "cleared"
                 : alert.is_acknowledged() ? "acknowledged"
                                           : "active";
  out["text"] = alert.text;
  out["device"] = or_null(alert.device);
  // A device's own alert is of no point of it.
  out["point"] = alert.point == alert.device ? json::value(nullptr) : or_null(alert.point);
  out["value"] = or_null(alert.value);
  out["limit"] = or_null(alert.limit);
  out["since"] = to_rfc3339(alert.since);
  out["cleared"] = time_json(alert.cleared);
  out["acknowledged_by"] = or_null(alert.acknowledged_by);
  out["acknowledged_at"] = time_json(alert.acknowledged_at);
  out["note"] = or_null(alert.note);
  return out;
}

// One look into the book for all who ask.
constexpr Duration kFresh = std::chrono::milliseconds(250);
using SharedBook = SharedAnswer<Book>;

Task<SharedBook::Answer> book(House& house, std::shared_ptr<SharedBook> newest) {
  auto asking = newest->get([&field = house.field] {
    return field.ask<Book>([](Context& context) {
      const auto all = AlertBook::of(context);
      return Book{all->active(), all->cleared()};
    });
  });
  co_return co_await std::move(asking);
}

Response bad(std::string detail) { return problem(400, "Bad Request", std::move(detail)); }

Task<Response> alerts(House& house, std::shared_ptr<SharedBook> newest, const Call& call) {
  const auto state = call.parameter("state").value_or("");
  if (!state.empty() && state != "active" && state != "acknowledged" && state != "cleared")
    co_return bad("state is active, acknowledged or cleared.");
  std::uint64_t after = 0;
  if (const auto text = call.parameter("after"); text && !text->empty()) {
    const auto found = number(*text);
    if (!found) co_return bad("after is the cursor of the answer before.");
    after = *found;
  }
  std::size_t limit = kUsual;
  if (const auto text = call.parameter("limit"); text && !text->empty()) {
    const auto found = number(*text);
    if (!found || *found < 1 || *found > kMost) co_return bad("limit is between 1 and 1000.");
    limit = *found;
  }
  const auto known = co_await book(house, newest);
  if (!known) co_return problem(503, "Service Unavailable", "The gateway's loop hangs.");
  json::array items;
  json::value next = nullptr;
  const auto put = [&](const BookedAlert& alert) {
    if (items.size() < limit)
      items.push_back(alert_json(alert));
    else if (next.is_null())
      next = items.back().at("id");
  };
  // The cursor is the last that was given.
  if (state != "cleared") {
    // By their numbers, the newest first: it may be over meanwhile, or acknowledged.
    for (const auto& alert : known->active) {
      if (after != 0 && alert.id >= after) continue;
      if (state.empty() || alert.is_acknowledged() == (state == "acknowledged")) put(alert);
    }
  } else {
    // In the order in which they were over, which their numbers do not tell.
    auto at = known->cleared.begin();
    if (after != 0) {
      at = std::ranges::find(known->cleared, after, &BookedAlert::id);
      if (at == known->cleared.end())
        co_return bad(
            fmt::format("after: alert {} is not in this list (any more): only the newest "
                        "{} that are over are kept. Begin again without after.",
                        after, AlertBook::kMostCleared));
      ++at;
    }
    for (; at != known->cleared.end(); ++at) put(*at);
  }
  json::object out;
  out["items"] = std::move(items);
  out["next"] = std::move(next);
  co_return json_answer(json_text(out));
}

Task<Result<void>> acknowledge_there(Context& context, std::uint64_t id, std::string by,
                                     std::string note) {
  const auto all = AlertBook::of(context);
  co_return co_await all->acknowledge(id, std::move(by), std::move(note));
}

Task<Response> acknowledge(House& house, std::shared_ptr<SharedBook> newest, const Call& call) {
  const auto id = number(call.part("id"));
  if (!id) co_return problem(404, "Not Found", "There is no such alert.");
  const auto body = call.body();
  if (!body) co_return bad(body.error().text);
  std::string note;
  if (const auto* given = body->if_contains("note"); given != nullptr && !given->is_null()) {
    if (!given->is_string()) co_return bad("note is a text.");
    note = std::string(given->get_string());
    if (note.size() > AlertBook::kMostNote)
      co_return problem(422, "Unprocessable Content", "A note has at most 500 bytes.");
  }
  const auto by = call.caller.user;
  const std::function<Task<Result<void>>(Context&)> errand =
      [id = *id, by, note](Context& context) { return acknowledge_there(context, id, by, note); };
  const auto done = co_await house.field.run<Result<void>>(errand, kAckLimit);
  if (!done) co_return problem(503, "Service Unavailable", "The gateway's loop hangs.");
  if (!*done) {
    const auto& why = done->error();
    if (why.code == Errc::invalid) co_return problem(404, "Not Found", why.text);
    if (why.code == Errc::refused) co_return problem(409, "Conflict", why.text);
    co_return problem(503, "Service Unavailable", why.text);
  }
  newest->forget();  // who looks now sees it acknowledged
  house.live.nudge("alerts");
  co_return no_content();
}

Task<Result<json::value>> shown(House& house, std::shared_ptr<SharedBook> newest) {
  const auto known = co_await book(house, newest);
  if (!known) co_return fail(Errc::unavailable, "the gateway's loop does not answer");
  json::object items;
  for (const auto& alert : known->active) items[std::to_string(alert.id)] = alert_json(alert);
  json::object out;
  out["items"] = std::move(items);
  co_return json::value(std::move(out));
}

}  // namespace

void add_alerts(Router& router, House& house) {
  const auto newest = std::make_shared<SharedBook>(house.clock, kFresh);
  router.add({"GET", "/api/alerts", Role::viewer,
              [&house, newest](const Call& call) { return alerts(house, newest, call); }});
  router.add({"POST", "/api/alerts/{id}/ack", Role::operate,
              [&house, newest](const Call& call) { return acknowledge(house, newest, call); }});
  house.live.add(StateTopic{.name = "alerts", .provider = [&house, newest](std::string) {
                              return shown(house, newest);
                            }});
}

}  // namespace lightship::portal
