// POST /api/diag/ping, /dns, /port: what a person at the gateway would type, without a shell.
#include "base/json_writer.h"
#include "link/resolve.h"
#include "link/tcp.h"
#include "portal/api/diag.h"
#include "portal/api/said.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kUsualCount = 4, kMostCount = 20;
constexpr auto kPause = 500ms;      // between two echoes
constexpr auto kPatience = 1s;      // for an answer
constexpr auto kNamePatience = 5s;  // for a name server
constexpr auto kPortPatience = 5s;

double ms_of(std::chrono::nanoseconds took) { return std::round(to_ms(took) * 1000) / 1000; }

void member_or_null(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty())
    json.null();
  else
    json.value(text);
}
void value_or_null(JsonWriter& json, const std::optional<double>& number) {
  if (number)
    json.value(*number);
  else
    json.null();
}

// A tool's own lines in the log and the audit: who used it, on whom.
Task<void> tell(DiagDesk& desk, const Call& call, std::string tool, std::string host) {
  desk.log.info("tool used", lightship::field("tool", tool), lightship::field("host", host),
                lightship::field("by", call.by()));
  auto telling = tell_audit(desk.field, desk.lines, desk.clock.mono(),
                            line_of(call, "diag-" + tool, {{"host", host}}));
  co_await std::move(telling);
}

Response busy_answer(const ToolBench::Busy& busy) {
  auto response = problem(429, "Too Many Requests", busy.why, "too-many-requests");
  response.headers.emplace_back("Retry-After", std::to_string(busy.again_s));
  return response;
}

// What a body says, or the answer that says what is wrong with it.
struct HostAsked {
  std::string host;
  boost::json::object body;
  std::optional<Response> problem;
};
HostAsked read_host(const Call& call, std::string_view name) {
  HostAsked asked;
  auto body = call.body();
  if (!body) {
    asked.problem = problem(400, "Bad Request", body.error().text);
    return asked;
  }
  asked.body = std::move(*body);
  const auto host = text_of(asked.body, name);
  if (!host) {
    asked.problem = wrong_field(name, "a name or an address as a text is expected");
    return asked;
  }
  if (const auto wrong = wrong_host(*host)) asked.problem = wrong_field(name, *wrong);
  asked.host = *host;
  return asked;
}

// Nothing: it is there and is no such number.
std::optional<std::int64_t> number_of(const boost::json::object& body, std::string_view name,
                                      std::int64_t otherwise, std::int64_t most) {
  const auto* found = body.if_contains(name);
  if (found == nullptr) return otherwise;
  std::int64_t number = -1;
  if (found->is_int64()) number = found->get_int64();
  if (number < 1 || number > most) return std::nullopt;
  return number;
}

// One ping on its way. It goes on as its lines are asked for, and ends when nobody asks any more.
struct PingRun {
  DiagDesk& desk;
  ToolBench::Place place;
  std::string host;
  std::int64_t count = 0;

  std::string address{}, error{};
  std::unique_ptr<Pinging> pinging{};
  std::vector<std::optional<double>> times{};
  MonoTime due{};
  bool begun = false, ended = false;
};

Task<void> begin(PingRun& run) {
  run.begun = true;
  auto& clock = run.desk.clock;
  auto resolving = link::resolve(run.host, clock.mono() + kNamePatience);
  const auto addresses = co_await std::move(resolving);
  if (!addresses) {
    run.error = addresses.error().text;
    co_return;
  }
  // A name may have an address of a kind that this machine cannot send to.
  for (const auto& address : *addresses) {
    run.address = address.to_string();
    if (const auto wrong = wrong_host(run.address)) {
      run.error = fmt::format("{} is {}: {}", run.host, run.address, *wrong);
      continue;
    }
    auto opened = run.desk.ping(co_await asio::this_coro::executor, address);
    if (opened) {
      run.pinging = std::move(*opened);
      run.error.clear();
      break;
    }
    run.error = opened.error().text;
  }
  run.due = clock.mono();
}

// The next echo; false: that was all.
Task<bool> step(PingRun& run) {
  if (!run.begun) co_await begin(run);
  if (!run.pinging || std::ssize(run.times) >= run.count) co_return false;
  auto& clock = run.desk.clock;
  co_await clock.sleep_until(run.due);
  const auto sent = clock.mono();
  run.due = sent + kPause;
  const auto sequence = static_cast<std::uint16_t>(run.times.size() + 1);
  auto asking = run.pinging->ask(sequence, sent + kPatience);
  const auto echo = co_await std::move(asking);
  if (!echo) {
    run.error = echo.error().text;
    // Nothing leaves this machine: the next one would not either.
    if (run.times.empty()) co_return false;
    run.times.emplace_back();
    co_return true;
  }
  if (!echo->why.empty()) run.error = echo->why;
  run.times.push_back(echo->took ? std::optional(ms_of(*echo->took)) : std::nullopt);
  co_return true;
}

std::string answer_of(const PingRun& run) {
  const auto received =
      std::ranges::count_if(run.times, [](const auto& ms) { return ms.has_value(); });
  const auto sent = std::ssize(run.times);
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("host", run.host);
  member_or_null(json, "address", run.address);
  json.member("sent", sent).member("received", received);
  const double lost =
      sent == 0 ? 0 : 100.0 * static_cast<double>(sent - received) / static_cast<double>(sent);
  json.member("loss_percent", std::round(lost * 10) / 10).key("times_ms").begin_array();
  for (const auto& ms : run.times) value_or_null(json, ms);
  json.end_array();
  member_or_null(json, "error", run.error);
  json.end_object();
  return out;
}

Task<std::optional<std::string>> next_line(std::shared_ptr<PingRun> run) {
  if (run->ended) co_return std::nullopt;
  if (!co_await step(*run)) {
    run->ended = true;
    co_return answer_of(*run) + "\n";
  }
  std::string line;
  JsonWriter json(line);
  json.begin_object().member("seq", run->times.size()).key("ms");
  value_or_null(json, run->times.back());
  json.end_object();
  co_return line + "\n";
}

Task<Response> ping(DiagDesk& desk, const Call& call) {
  auto asked = read_host(call, "host");
  if (asked.problem) co_return *asked.problem;
  const auto count = number_of(asked.body, "count", kUsualCount, kMostCount);
  if (!count)
    co_return wrong_field("count", fmt::format("a whole number from 1 to {}", kMostCount));
  ToolBench::Busy busy;
  auto place = desk.bench.take(busy);
  if (!place) co_return busy_answer(busy);
  co_await tell(desk, call, "ping", asked.host);

  const auto run = std::make_shared<PingRun>(desk, std::move(place), asked.host, *count);
  if (call.request.header("accept").find("application/x-ndjson") != std::string_view::npos) {
    Response response;
    response.content_type = "application/x-ndjson";
    response.headers.emplace_back("X-Accel-Buffering", "no");  // a proxy must not collect it
    response.pieces = [run] { return next_line(run); };
    co_return response;
  }
  while (co_await step(*run)) {
  }
  co_return json_answer(answer_of(*run));
}

Task<Response> dns(DiagDesk& desk, const Call& call) {
  auto asked = read_host(call, "name");
  if (asked.problem) co_return *asked.problem;
  ToolBench::Busy busy;
  const auto place = desk.bench.take(busy);
  if (!place) co_return busy_answer(busy);
  co_await tell(desk, call, "dns", asked.host);

  const auto begun = desk.clock.mono();
  auto resolving = link::resolve(asked.host, begun + kNamePatience);
  const auto addresses = co_await std::move(resolving);
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("name", asked.host).key("addresses").begin_array();
  if (addresses) {
    for (const auto& address : *addresses) json.value(address.to_string());
  }
  json.end_array().member("ms", ms_of(desk.clock.mono() - begun));
  member_or_null(json, "error", addresses ? std::string() : addresses.error().text);
  json.end_object();
  co_return json_answer(std::move(out));
}

Task<Response> port(DiagDesk& desk, const Call& call) {
  auto asked = read_host(call, "host");
  if (asked.problem) co_return *asked.problem;
  const auto number = number_of(asked.body, "port", 0, 65535);
  if (!number || *number == 0) co_return wrong_field("port", "a whole number from 1 to 65535");
  ToolBench::Busy busy;
  const auto place = desk.bench.take(busy);
  if (!place) co_return busy_answer(busy);
  co_await tell(desk, call, "port", fmt::format("{} port {}", asked.host, *number));

  const auto until = desk.clock.mono() + kNamePatience;
  auto resolving = link::resolve(asked.host, until);
  const auto addresses = co_await std::move(resolving);
  std::string address, error;
  std::optional<double> ms;
  if (!addresses) error = addresses.error().text;
  // One after the other, as a client would; the time is that of the connection alone.
  for (const auto& one : addresses ? *addresses : std::vector<asio::ip::address>{}) {
    address = one.to_string();
    const auto begun = desk.clock.mono();
    auto dialling =
        link::dial_tcp(desk.clock, address, static_cast<std::uint16_t>(*number), kPortPatience);
    auto line = co_await std::move(dialling);
    if (line) {
      ms = ms_of(desk.clock.mono() - begun);
      error.clear();
      break;
    }
    error = line.error().text;
    if (desk.clock.mono() > until) break;
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("host", asked.host)
      .member("port", *number)
      .member("ok", ms.has_value());
  member_or_null(json, "address", address);
  json.key("ms");
  value_or_null(json, ms);
  member_or_null(json, "error", error);
  json.end_object();
  co_return json_answer(std::move(out));
}

}  // namespace

void add_tools(Router& router, DiagDesk& desk) {
  router.add({"POST", "/api/diag/ping", Role::operate,
              [&desk](const Call& call) { return ping(desk, call); }});
  router.add({"POST", "/api/diag/dns", Role::operate,
              [&desk](const Call& call) { return dns(desk, call); }});
  router.add({"POST", "/api/diag/port", Role::operate,
              [&desk](const Call& call) { return port(desk, call); }});
}

}  // namespace lightship::portal
