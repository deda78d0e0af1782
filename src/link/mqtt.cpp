// The life of a connection as seen from the loop: dialling, publishing, losing, saying goodbye.
#include "link/mqtt.h"

#include <algorithm>
#include <deque>
#include <list>
#include <optional>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"
#include "link/mqtt_reasons.h"
#include "link/mqtt_session.h"
#include "link/mqtt_trouble.h"
#include "link/resolve.h"

namespace lightship::link {
namespace {

constexpr std::chrono::seconds kGoodbyeLimit{1};

// Without a receive maximum of MQTT 5; far above what any owner keeps open.
constexpr std::size_t kNoLimit = 65'535;

// What may be spent on finding out why a connection failed.
constexpr std::chrono::seconds kExplainLimit{3};

}  // namespace

struct MqttClient::State : std::enable_shared_from_this<MqttClient::State> {
  enum class Phase { idle, connecting, connected };
  Stage stage = Stage::resolve;

  State(asio::any_io_executor on, MqttSettings with)
      : executor(std::move(on)), settings(std::move(with)), name(describe(settings)) {}

  void begin(std::string uri);
  void end(Error reason);  // abandons the session and fails what is open
  void on(const MqttEvent& event);
  void complete(std::uint64_t number, int code);
  void publish(std::string_view topic, std::string_view payload, int qos, bool retain,
               Handler done);
  void send_held();
  void later(Handler done, Error error);

  // What the client's Tasks do; they keep the state even when the client is gone.
  using Self = std::shared_ptr<State>;
  static Task<Result<void>> connect(Self state);
  static Task<Result<void>> attempt(Self state, std::string uri, MonoTime until);
  static Task<Result<void>> publish(Self state, std::string topic, std::string payload, int qos,
                                    bool retain);
  static Task<Error> lost(Self state);
  static Task<void> disconnect(Self state, std::chrono::milliseconds grace);

  void notify() {
    for (auto* timer : waiting) timer->cancel();
  }
  Task<void> change(MonoTime until);  // returns when something changed, or at `until`

  asio::any_io_executor executor;
  const MqttSettings settings;
  const std::string name;

  Phase phase = Phase::idle;
  std::shared_ptr<MqttSession> session;
  bool goodbye_said = false;
  bool destroyed = false;
  Error why;  // the last session ended

  struct Publish {
    Handler done;  // empty when it is finished
    int qos;
  };
  struct Held {
    std::uint64_t number;
    std::string topic, payload;
    int qos;
    bool retain;
  };
  std::deque<Publish> open;  // in their order
  std::uint64_t first = 1;   // the number of open.front()
  // MQTT 5, 4.9. Paho would hold back too, but look again only when its send thread wakes, once a
  // second.
  std::size_t at_once = 0;    // QoS 1 and 2 the broker takes at once
  std::size_t under_way = 0;  // of these, sent and not acknowledged
  std::deque<Held> held;      // the others, and what must stay behind them
  std::list<asio::steady_timer*> waiting;
};

void MqttClient::State::begin(std::string uri) {
  phase = Phase::connecting;
  goodbye_said = false;
  session = std::make_shared<MqttSession>(executor, settings,
                                          [weak = weak_from_this()](const MqttEvent& event) {
                                            if (auto state = weak.lock()) state->on(event);
                                          });
  session->connect(std::move(uri));
}

void MqttClient::State::end(Error reason) {
  if (session) std::exchange(session, nullptr)->abandon();
  phase = Phase::idle;
  why = std::move(reason);
  first += open.size();
  under_way = 0;
  held.clear();
  auto unfinished = std::exchange(open, {});
  notify();
  for (auto& publish : unfinished)
    if (publish.done) publish.done(fail(Errc::closed, "{}", why.text));
}

void MqttClient::State::on(const MqttEvent& event) {
  switch (event.kind) {
    case MqttEvent::Kind::connected:
      phase = Phase::connected;
      at_once = event.code > 0 ? static_cast<std::size_t>(event.code) : kNoLimit;
      return notify();
    case MqttEvent::Kind::connect_failed: {
      if (event.code > 0)
        return end({Errc::refused,
                    fmt::format("refused by the broker: {} ({})",
                                connack_words(event.code, settings.version), event.code),
                    event.code});
      auto said = session->tls_text();
      return end({Errc::unavailable, said.empty() ? event.text : said, event.code});
    }
    case MqttEvent::Kind::lost:
      if (phase != Phase::connected) return;
      if (event.code > 0)
        return end({Errc::closed, "the broker ended the session: " + reason_words(event.code),
                    event.code});
      return end({Errc::closed, "the connection was lost", 0});
    case MqttEvent::Kind::published:
      return complete(event.number, event.code);
    case MqttEvent::Kind::disconnected:
      goodbye_said = true;
      return notify();
  }
}

void MqttClient::State::complete(std::uint64_t number, int code) {
  if (number < first || number - first >= open.size()) return;
  // Paho fails them one by one, out of order and before it tells of the loss.
  if (code != 0 && publish_error(code).code == Errc::closed)
    return end({Errc::closed, "the connection was lost", 0});
  auto& publish = open[number - first];
  if (publish.qos > 0) --under_way;
  Handler done = std::exchange(publish.done, nullptr);
  while (!open.empty() && !open.front().done) {
    open.pop_front();
    ++first;
  }
  send_held();
  if (open.empty()) notify();
  if (done) done(code == 0 ? Result<void>{} : fail(publish_error(code)));
}

void MqttClient::State::later(Handler done, Error error) {
  asio::post(executor,
             [weak = weak_from_this(), done = std::move(done), error = std::move(error)]() mutable {
               auto state = weak.lock();
               if (state && !state->destroyed) done(fail(std::move(error)));
             });
}

void MqttClient::State::publish(std::string_view topic, std::string_view payload, int qos,
                                bool retain, Handler done) {
  if (auto fine = check_topic(topic); !fine) return later(std::move(done), std::move(fine.error()));
  if (qos < 0 || qos > 2)
    return later(std::move(done), {Errc::invalid, fmt::format("QoS {}, expected 0, 1 or 2", qos)});
  if (phase != Phase::connected) return later(std::move(done), {Errc::closed, "not connected"});
  open.push_back({std::move(done), qos});
  held.push_back({first + open.size() - 1, std::string(topic), std::string(payload), qos, retain});
  send_held();
}

void MqttClient::State::send_held() {
  while (!held.empty() && (held.front().qos == 0 || under_way < at_once)) {
    auto next = std::move(held.front());
    held.pop_front();
    if (next.qos > 0) ++under_way;
    session->publish(next.number, std::move(next.topic), std::move(next.payload), next.qos,
                     next.retain);
  }
}

Task<void> MqttClient::State::change(MonoTime until) {
  const auto self = shared_from_this();
  asio::steady_timer timer(executor, until);
  const auto place = waiting.insert(waiting.end(), &timer);
  const auto leave = [this, place](void*) { waiting.erase(place); };
  const std::unique_ptr<State, decltype(leave)> on_leaving(this, leave);
  boost::system::error_code ended;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  const auto told = co_await asio::this_coro::cancellation_state;
  if (told.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
}

Result<std::unique_ptr<MqttClient>> MqttClient::create(asio::any_io_executor executor,
                                                       MqttSettings settings) {
  if (auto fine = check(settings); !fine)
    return within(describe(settings), std::move(fine.error()));
  return std::unique_ptr<MqttClient>(
      new MqttClient(std::make_shared<State>(std::move(executor), std::move(settings))));
}

MqttClient::MqttClient(std::shared_ptr<State> state) : state_(std::move(state)) {}

MqttClient::~MqttClient() {
  state_->destroyed = true;
  state_->open.clear();
  state_->end({Errc::closed, "the client is gone", 0});
}

// One attempt at one URI, ended by the broker's answer or by `until`.
Task<Result<void>> MqttClient::State::attempt(Self state, std::string uri, MonoTime until) {
  state->begin(std::move(uri));
  const auto mine = state->session;
  // A cancelled connect leaves no half-made session behind.
  const auto drop = [state, mine](void*) {
    if (state->session == mine && state->phase == Phase::connecting)
      state->end({Errc::cancelled, "stopped while connecting", 0});
  };
  int nothing = 0;
  const std::unique_ptr<int, decltype(drop)> on_leaving(&nothing, drop);

  while (state->session == mine && state->phase == Phase::connecting) {
    if (steady_now() >= until) {
      state->end({Errc::timeout, "no answer within the limit", 0});
      break;
    }
    co_await state->change(until);
  }
  if (state->session == mine && state->phase == Phase::connected) co_return Result<void>{};
  co_return fail(state->why);
}

Task<Result<void>> MqttClient::State::connect(Self state) {
  state->end({Errc::closed, "connecting anew", 0});
  const auto& settings = state->settings;
  const MonoTime until = steady_now() + settings.connect_timeout;
  state->stage = Stage::resolve;
  auto addresses = co_await resolve(settings.host, until);
  if (!addresses) co_return within(state->name, std::move(addresses.error()));

  // Paho would look the name up again, with everything locked, and take only its first address. TLS
  // and WebSocket need the name itself.
  std::vector<std::string> uris;
  const bool by_name =
      settings.use_tls || settings.transport == MqttSettings::Transport::websockets;
  if (by_name)
    uris.push_back(uri_of(settings, settings.host));
  else
    for (const auto& address : *addresses) uris.push_back(uri_of(settings, address.to_string()));

  state->stage = Stage::connect;
  Error error;
  for (std::size_t at = 0; at < uris.size(); ++at) {
    const MonoTime now = steady_now();
    auto tried =
        co_await attempt(state, uris[at], now + (until - now) / static_cast<int>(uris.size() - at));
    if (tried) co_return tried;
    error = std::move(tried.error());
    if (error.code == Errc::refused || error.code == Errc::closed) break;
  }
  // A broker that hangs up instead of answering is there.
  if (error.code == Errc::refused || error.code == Errc::closed) state->stage = Stage::log_in;
  if (error.code == Errc::timeout)
    error.text = fmt::format("no answer within {}", for_people(settings.connect_timeout));
  if (error.code == Errc::unavailable) {
    const MonoTime enough = steady_now() + kExplainLimit;
    auto why = co_await explain_failure(settings, error.text, enough);
    if (why.text.starts_with(kTlsTrouble))
      state->stage = Stage::tls;
    else if (why.text.starts_with(kHungUp) || why.text.starts_with(kNoWebSocket))
      state->stage = Stage::log_in;
    why.code = Errc::unavailable;
    error = std::move(why);
  }
  co_return within(state->name, std::move(error));
}

Task<Result<void>> MqttClient::connect() { return State::connect(state_); }

Task<Result<void>> MqttClient::State::publish(Self state, std::string topic, std::string payload,
                                              int qos, bool retain) {
  struct Answer {
    std::optional<Result<void>> result;
    asio::steady_timer come;
  };
  auto answer = std::make_shared<Answer>(
      Answer{std::nullopt, asio::steady_timer(state->executor, MonoTime::max())});
  state->publish(topic, payload, qos, retain, [answer](Result<void> result) {
    answer->result = std::move(result);
    answer->come.cancel();
  });
  boost::system::error_code ended;
  co_await answer->come.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  if (!answer->result) throw boost::system::system_error(ended);
  co_return std::move(*answer->result);
}

Task<Result<void>> MqttClient::publish(std::string topic, std::string payload, int qos,
                                       bool retain) {
  return State::publish(state_, std::move(topic), std::move(payload), qos, retain);
}

void MqttClient::publish_async(std::string_view topic, std::string_view payload, int qos,
                               bool retain, Handler done) {
  state_->publish(topic, payload, qos, retain, std::move(done));
}

Task<Error> MqttClient::State::lost(Self state) {
  while (state->session) co_await state->change(MonoTime::max());
  co_return state->why;
}

Task<Error> MqttClient::lost() { return State::lost(state_); }

Task<void> MqttClient::State::disconnect(Self state, std::chrono::milliseconds grace) {
  const auto mine = state->session;
  const MonoTime enough = steady_now() + grace;
  while (state->session == mine && state->phase == Phase::connected && !state->open.empty() &&
         steady_now() < enough)
    co_await state->change(enough);
  if (state->session != mine || !mine) co_return;

  if (state->phase == Phase::connected) {
    mine->disconnect();
    const MonoTime limit = steady_now() + kGoodbyeLimit;
    while (state->session == mine && !state->goodbye_said && steady_now() < limit)
      co_await state->change(limit);
  }
  if (state->session == mine) state->end({Errc::closed, "disconnected by us", 0});
}

Task<void> MqttClient::disconnect(std::chrono::milliseconds grace) {
  return State::disconnect(state_, grace);
}

MqttClient::Stage MqttClient::stage() const { return state_->stage; }

bool MqttClient::connected() const { return state_->phase == State::Phase::connected; }

std::size_t MqttClient::open_publishes() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(state_->open, [](const auto& publish) { return bool(publish.done); }));
}

const std::string& MqttClient::name() const { return state_->name; }

}  // namespace lightship::link
