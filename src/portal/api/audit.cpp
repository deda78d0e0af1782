// The audit, read from its end.
#include "portal/api/audit.h"

#include <charconv>

#include "base/json_writer.h"

namespace lightship::portal {
namespace {

constexpr std::size_t kUsually = 100, kMost = 500;

Task<Response> audit(House& house, const Call& call) {
  std::size_t limit = kUsually;
  if (const auto text = call.parameter("limit")) {
    const auto* end = text->data() + text->size();
    const auto [at, wrong] = std::from_chars(text->data(), end, limit);
    if (wrong != std::errc{} || at != end || limit < 1 || limit > kMost)
      co_return problem(400, "Bad Request", fmt::format("limit is a number from 1 to {}.", kMost));
  }
  AuditPage page;
  if (!house.data_dir.empty()) {
    auto reading = house.disk.run([file = house.data_dir / "audit.jsonl",
                                   after = call.parameter("after").value_or(""),
                                   limit] { return read_audit(file, after, limit); });
    auto read = co_await std::move(reading);
    if (!read && read.error().code == Errc::invalid)
      co_return problem(400, "Bad Request", read.error().text);
    if (!read) co_return problem(503, "Service Unavailable", read.error().text);
    page = std::move(*read);
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  for (const auto& entry : page.entries) {
    json.begin_object().member("id", entry.id).member("time", entry.time);
    json.member("event", entry.event).member("user", entry.user).key("address");
    if (entry.address.empty())
      json.null();
    else
      json.value(entry.address);
    json.member("detail", entry.detail).end_object();
  }
  json.end_array().key("next");
  if (page.next.empty())
    json.null();
  else
    json.value(page.next);
  json.end_object();
  co_return json_answer(std::move(text));
}

}  // namespace

void add_audit(Router& router, House& house) {
  router.add({"GET", "/api/audit", Role::admin,
              [&house](const Call& call) { return audit(house, call); }});
}

}  // namespace lightship::portal
