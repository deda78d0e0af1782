// Prints the queues of the outbox file.
#include "cli/outbox.h"

#include <cstdio>

#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include "app/app.h"
#include "app/directories.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/control.h"
#include "core/audit.h"
#include "store/outbox_hand.h"
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

namespace {

Task<void> tell(Audit& audit, const OutboxOrder& order) {
  const auto members = [&](JsonWriter& json) {
    json.member("queue", order.queue).member("id", order.id);
    json.member("by", fmt::format("command line, uid {} pid {}, no gateway running", ::getuid(),
                                  ::getpid()));
  };
  const bool retry = order.what == OutboxOrder::What::retry;
  auto recording =
      audit.record(retry ? "outbox-retry" : "outbox-discard", members, Audit::Durability::told);
  (void)co_await std::move(recording);
}

// In the audit, or on stderr where it cannot be written.
void tell_the_audit(const OutboxOrder& order) {
  asio::io_context loop{1};
  SystemClock clock;
  Logbook logbook{clock, stderr, Logbook::Form::text, Level::warn};
  AuditFile audit(clock, logbook, order.data_dir / "audit.jsonl");
  asio::co_spawn(loop, tell(audit, order), [](std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  });
  loop.run();
  audit.stop();
  logbook.flush(true);
}

Result<OutboxHandiwork> on_the_file(const OutboxOrder& order) {
  const auto file = order.data_dir / "outbox.db";
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown))
    return fail(Errc::unavailable, "there is no {}: nothing was ever queued there", file.string());
  auto database = sqlite::Database::open(
      file, {.sync = sqlite::Sync::full, .access = sqlite::Access::shared, .keep_log = true});
  if (!database) return fail(database.error());
  tell_the_audit(order);
  if (order.what == OutboxOrder::What::discard) return discard_queue(*database, order.queue);
  const auto known = count_set_aside(*database, order.queue, order.id);
  if (!known) return fail(known.error());
  const auto last = last_id_of(*database);
  if (!last) return fail(last.error());
  return retry_set_aside(*database, order.queue, order.id, *last);
}

Result<OutboxHandiwork> by_the_gateway(RunningGateway& gateway, const OutboxOrder& order) {
  const bool retry = order.what == OutboxOrder::What::retry;
  const auto said = gateway.ask(
      {{"do", retry ? "outbox-retry" : "outbox-discard"}, {"queue", order.queue}, {"id", order.id}},
      std::chrono::seconds(30));
  if (!said) return fail(said.error());
  boost::system::error_code wrong;
  const auto parsed = boost::json::parse(*said, wrong);
  const auto number = [&](const char* name) -> std::size_t {
    const auto* found = parsed.is_object() ? parsed.as_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_int64() ? static_cast<std::size_t>(found->as_int64()) : 0;
  };
  return OutboxHandiwork{{}, number("messages"), number("set_aside")};
}

int status_of(const Error& error) {
  return error.code == Errc::invalid ? app::kUsage : app::kUnavailable;
}

}  // namespace

int outbox(const OutboxOrder& order) {
  Result<OutboxHandiwork> done = fail(Errc::unavailable, "not done");
  if (auto gateway = RunningGateway::find(order.config_dir)) {
    done = by_the_gateway(*gateway, order);
  } else if (auto lock = app::DataLock::take(order.data_dir)) {
    done = on_the_file(order);
  } else {
    done = fail(Errc::unavailable, "{}; say with --config which configuration it runs with",
                lock.error().text);
  }
  if (!done) {
    fmt::print(stderr, "lightship outbox: {}\n", done.error().text);
    return status_of(done.error());
  }
  if (order.what == OutboxOrder::What::discard)
    fmt::print("discarded: {} that waited, {} that were set aside\n",
               counted(done->messages, "message"), done->aside);
  else if (done->aside == 0)
    fmt::print("nothing was set aside that could be offered again\n");
  else
    fmt::print("{} offered again, behind what waits\n", counted(done->aside, "message"));
  return app::kFine;
}

}  // namespace lightship::cli
