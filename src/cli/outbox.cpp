// Prints the queues of the outbox file.
#include "cli/outbox.h"

#include <cstdio>

#include "app/app.h"
#include "base/json_writer.h"
#include "store/outbox_look.h"

namespace lightship::cli {
namespace {

void print_json(const OutboxLook& found) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("queues").begin_array();
  for (const auto& queue : found.queues) {
    json.begin_object();
    json.member("name", std::string_view(queue.name));
    json.member("waiting", queue.alarms + queue.measurements);
    json.member("alarms", queue.alarms);
    json.member("bytes", queue.bytes);
    json.key("oldest");
    if (queue.oldest)
      json.value(to_rfc3339(*queue.oldest));
    else
      json.null();
    json.end_object();
  }
  json.end_array().key("set_aside").begin_array();
  for (const auto& one : found.aside) {
    json.begin_object();
    json.member("id", one.id).member("queue", std::string_view(one.queue));
    json.member("device", std::string_view(one.key)).member("sequence", one.sequence);
    json.member("target", std::string_view(one.target));
    json.member("reason", std::string_view(one.reason));
    json.member("at", to_rfc3339(one.at)).member("timestamp", to_rfc3339(one.timestamp));
    json.end_object();
  }
  json.end_array().end_object();
  fmt::print("{}\n", text);
}

}  // namespace

int outbox(const std::filesystem::path& data_dir, bool json) {
  const auto found = look_into_outbox(data_dir / "outbox.db");
  if (!found) {
    fmt::print(stderr, "lightship: {}\n", found.error().text);
    return app::kUnavailable;
  }
  if (json) {
    print_json(*found);
    return app::kFine;
  }
  fmt::print("{:<32} {:>10} {:>8} {:>12}  {}\n", "QUEUE", "WAITING", "ALARMS", "BYTES", "OLDEST");
  for (const auto& queue : found->queues) {
    fmt::print("{:<32} {:>10} {:>8} {:>12}  {}\n", queue.name, queue.alarms + queue.measurements,
               queue.alarms, queue.bytes, queue.oldest ? to_rfc3339(*queue.oldest) : "-");
  }
  if (found->aside.empty()) return app::kFine;
  fmt::print("\nset aside:\n");
  for (const auto& one : found->aside) {
    fmt::print("{} {} {} {} {}: {}\n", one.id, to_rfc3339(one.at), one.queue,
               one.key.empty() ? "alert" : fmt::format("{} #{}", one.key, one.sequence), one.target,
               one.reason);
  }
  return app::kFine;
}

}  // namespace lightship::cli
