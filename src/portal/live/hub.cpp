// Who watches what, who is asked when, and who has to go.
#include "portal/live/hub.h"

#include <algorithm>
#include <list>
#include <map>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "core/line_budget.h"
#include "portal/http/patience.h"
#include "portal/live/message.h"
#include "portal/live/watched.h"

namespace lightship::portal {

using namespace std::chrono_literals;

namespace {

constexpr auto kLook = 1s;       // how often sessions and slow clients are looked after
constexpr auto kRemember = 60s;  // a topic that nobody watches, for those who come back
constexpr auto kGoodbye = 3s;    // for a close to get through

constexpr unsigned kDefectsAtOnce = 5;  // told
constexpr auto kDefectEach = 60s;

constexpr std::uint16_t kGoingAway = 1001;
constexpr std::uint16_t kPolicy = 1008;
constexpr std::uint16_t kTooBig = 1009;
constexpr std::uint16_t kTryLater = 1013;
constexpr std::uint16_t kUnauthorized = 4401;  // stands for 401 once the upgrade is done

}  // namespace

struct LiveHub::State {
  State(asio::any_io_executor on, Clock& with) : loop(on), clock(with), asking(on) {}

  asio::any_io_executor loop;
  Clock& clock;
  Still still;
  Defect tell_defect;
  LineBudget defects{kDefectsAtOnce, kDefectEach};
  std::list<TopicKind> kinds;
  std::map<std::string, std::shared_ptr<Watched>, std::less<>> topics;
  std::list<std::shared_ptr<LiveClient>> clients;
  TaskGroup asking;
  bool stopped = false;
  LiveFigures figures;

  const TopicKind* kind_of(std::string_view name) const;
  std::shared_ptr<Watched> find_or_make(LiveClient& client, const std::string& name);
  void subscribe(LiveClient& client, const std::string& name, std::optional<std::uint64_t> told);
  void unsubscribe(LiveClient& client, std::string_view name);
  void leave(LiveClient& client);
  void hear(LiveClient& client, const std::string& text);

  Task<void> read(std::shared_ptr<LiveClient> client);
  Task<void> write(std::shared_ptr<LiveClient> client);
  Text next_for(LiveClient& client);

  Task<void> ask(std::shared_ptr<Watched> watched);
  Task<std::optional<Error>> ask_once(Watched& watched);
  Task<std::optional<Error>> ask_provider(Watched& watched);
  void defect(const Watched& watched, std::exception_ptr why);
  void failed(Watched& watched, const Error& why);
  void gone(const std::shared_ptr<Watched>& watched, const Error& why);

  void recheck();
  void look();
};

// ---- topics
// --------------------------------------------------------------------------------------

const TopicKind* LiveHub::State::kind_of(std::string_view name) const {
  for (const auto& kind : kinds) {
    const bool prefix = kind.name.back() == ':';
    if (prefix ? name.starts_with(kind.name) && name.size() > kind.name.size() : name == kind.name)
      return &kind;
  }
  return nullptr;
}

std::shared_ptr<Watched> LiveHub::State::find_or_make(LiveClient& client, const std::string& name) {
  const auto* kind = kind_of(name);
  const auto now = clock.mono();
  if (!kind) {
    client.answer(error_frame(name, 404, "Not Found", "there is no topic " + name), now);
    return nullptr;
  }
  if (kind->least > client.caller.role) {
    client.answer(
        error_frame(name, 403, "Forbidden",
                    fmt::format("{} is for the role {} and above", name, to_string(kind->least))),
        now);
    return nullptr;
  }
  if (const auto known = topics.find(name); known != topics.end()) return known->second;
  if (topics.size() >= kMostTopics) {
    client.answer(error_frame(name, 503, "Too many topics",
                              fmt::format("{} topics are watched already", kMostTopics)),
                  now);
    return nullptr;
  }
  const auto watched = std::make_shared<Watched>(
      name, *kind, kind->name.back() == ':' ? name.substr(kind->name.size()) : std::string(),
      clock.now(), loop);
  topics.emplace(name, watched);
  return watched;
}

void LiveHub::State::subscribe(LiveClient& client, const std::string& name,
                               std::optional<std::uint64_t> told) {
  const auto known =
      std::find_if(client.watches.begin(), client.watches.end(),
                   [&](const auto& watch) { return watch.topic->topic.name() == name; });
  if (known != client.watches.end()) {
    known->told = told;
    return client.wake();
  }
  if (client.watches.size() >= kMostTopicsPerClient) {
    return client.answer(
        error_frame(name, 429, "Too many topics",
                    fmt::format("at most {} topics for one client", kMostTopicsPerClient)),
        clock.mono());
  }
  const auto watched = find_or_make(client, name);
  if (!watched) return;
  client.watches.push_back({watched, told});
  watched->clients.push_back(&client);
  if (watched->fresh) client.wake();
  if (!watched->asking && !stopped) {
    watched->asking = true;
    asking.spawn(ask(watched));
  }
}

void LiveHub::State::unsubscribe(LiveClient& client, std::string_view name) {
  const auto known =
      std::find_if(client.watches.begin(), client.watches.end(),
                   [&](const auto& watch) { return watch.topic->topic.name() == name; });
  if (known == client.watches.end()) return;
  std::erase(known->topic->clients, &client);
  // Nobody is left: what waits for the next time ends now.
  if (known->topic->clients.empty()) known->topic->bell.cancel();
  client.watches.erase(known);
  client.turn = 0;
}

void LiveHub::State::leave(LiveClient& client) {
  while (!client.watches.empty())
    unsubscribe(client, std::string(client.watches.back().topic->topic.name()));
}

Task<void> LiveHub::State::ask(std::shared_ptr<Watched> watched) {
  while (!watched->clients.empty()) {
    const auto next = clock.mono() + watched->kind.interval;
    ++figures.asked;
    const auto why = co_await ask_once(*watched);
    if (why && why->code == Errc::invalid) {
      gone(watched, *why);
      break;
    }
    if (why) {
      failed(*watched, *why);
    } else {
      if (!watched->fresh) {
        watched->fresh = true;
        watched->wake_clients();
      }
      if (watched->failing) {
        watched->failing = false;
        watched->topic.tell_again();
        watched->wake_clients();
      }
    }
    if (watched->clients.empty()) break;
    co_await clock.sleep_unless_woken(next, watched->bell);
  }
  watched->asking = false;
  watched->fresh = false;
  watched->idle_since = clock.mono();
}

// What throws is a defect: it is told as one, and asked again the next time.
Task<std::optional<Error>> LiveHub::State::ask_once(Watched& watched) {
  std::exception_ptr why;
  try {
    co_return co_await ask_provider(watched);
  } catch (...) {
    why = std::current_exception();
  }
  if (is_cancellation(why)) std::rethrow_exception(why);
  defect(watched, why);
  co_return Error{Errc::unavailable, "this topic cannot be shown: a defect of the gateway", 0};
}

void LiveHub::State::defect(const Watched& watched, std::exception_ptr why) {
  if (!tell_defect || !defects.take(clock.mono())) return;
  try {
    std::rethrow_exception(std::move(why));
  } catch (const std::exception& what) {
    tell_defect(watched.topic.name(), what.what());
  } catch (...) {
    tell_defect(watched.topic.name(), "something that is no std::exception");
  }
}

// Nothing: it has answered, and who watches is woken.
Task<std::optional<Error>> LiveHub::State::ask_provider(Watched& watched) {
  bool news = false;
  if (const auto* state = std::get_if<StateTopic>(&watched.kind.provider)) {
    auto present = co_await state->provider(watched.argument);
    if (!present) co_return present.error();
    news = watched.topic.tell(std::move(*present), clock.mono());
  } else {
    const auto& growing = std::get<GrowingTopic>(watched.kind.provider);
    auto more = co_await growing.provider(watched.argument, watched.cursor);
    if (!more) co_return more.error();
    watched.cursor = more->cursor;
    news = watched.topic.tell_more(std::move(more->items), growing.first, growing.keep);
  }
  if (news && watched.fresh) watched.wake_clients();
  co_return std::nullopt;
}

void LiveHub::State::failed(Watched& watched, const Error& why) {
  if (watched.failing) return;
  watched.failing = true;
  const auto frame = error_frame(watched.topic.name(), 503, "Not answering", why.text);
  for (auto* client : watched.clients) client->answer(frame, clock.mono());
}

void LiveHub::State::gone(const std::shared_ptr<Watched>& watched, const Error& why) {
  const auto name = watched->topic.name();
  const auto frame = error_frame(name, 404, "Not Found", why.text);
  const auto told = watched->clients;
  for (auto* client : told) {
    unsubscribe(*client, name);
    client->answer(frame, clock.mono());
  }
  topics.erase(name);
}

// ---- one client
// ----------------------------------------------------------------------------------

void LiveHub::State::hear(LiveClient& client, const std::string& text) {
  const auto now = clock.mono();
  if (!client.may_send(now)) return client.end(kPolicy, "too many messages", now);
  if (text.size() > kMostMessage) return client.end(kTooBig, "the message is too long", now);
  const auto message = read_live_message(text);
  if (!message) {
    if (++client.mistakes >= LiveClient::kMostMistakes)
      return client.end(kPolicy, "too many messages that make no sense", now);
    return client.answer(error_frame("", 400, "Bad Request", message.error().text), now);
  }
  if (message->ping) client.answer(pong_frame(*message->ping), now);
  for (const auto& name : message->unsubscribe) unsubscribe(client, name);
  for (const auto& name : message->subscribe) subscribe(client, name, std::nullopt);
  for (const auto& [name, seq] : message->resume) subscribe(client, name, seq);
}

Task<void> LiveHub::State::read(std::shared_ptr<LiveClient> client) {
  while (!client->over) {
    const auto text = co_await client->socket->read();
    if (!text) break;
    if (client->end_code == 0) hear(*client, *text);
  }
  client->over = true;
  client->wake();
}

Task<void> LiveHub::State::write(std::shared_ptr<LiveClient> client) {
  while (!client->over) {
    if (client->end_code != 0) {
      co_await client->socket->close(client->end_code, client->end_reason);
      break;
    }
    const auto text = next_for(*client);
    if (!text) {
      boost::system::error_code woken;
      co_await client->bell.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      continue;
    }
    client->writing_since = clock.mono();
    client->writing_bytes = text->size();
    const auto written = co_await client->socket->write(text);
    client->writing_since.reset();
    if (!written) break;
    ++figures.frames;
  }
  client->over = true;
  client->socket->drop();
}

// What is to be written next: answers first, then each topic in turn; nothing: all is said.
Text LiveHub::State::next_for(LiveClient& client) {
  if (!client.answers.empty()) {
    auto text = std::move(client.answers.front());
    client.answers.erase(client.answers.begin());
    return text;
  }
  for (std::size_t i = 0; i < client.watches.size(); ++i) {
    const auto which = (client.turn + i) % client.watches.size();
    auto& watch = client.watches[which];
    auto& topic = watch.topic->topic;
    if (!watch.topic->fresh || !topic.knows() || !topic.behind(watch.told)) continue;
    auto next = topic.next(watch.told);
    watch.told = next.after;
    client.turn = which + 1;
    figures.skipped += next.skipped;
    if (next.snapshot) ++figures.snapshots;
    return std::move(next.text);
  }
  return nullptr;
}

// ---- who has to go
// -------------------------------------------------------------------------------

void LiveHub::State::recheck() {
  if (!still) return;
  const auto now = clock.mono();
  for (const auto& client : clients) {
    if (client->end_code != 0 || still(client->caller)) continue;
    ++figures.ended;
    client->end(kUnauthorized, "the session has ended", now);
  }
}

void LiveHub::State::look() {
  recheck();
  const auto now = clock.mono();
  for (const auto& client : clients) {
    const auto patience = write_patience(client->writing_bytes);
    const bool stuck = client->writing_since && now - *client->writing_since >= patience;
    const bool ends = client->end_code != 0 && now - client->end_since >= kGoodbye;
    if (!stuck && !ends) continue;
    if (stuck) ++figures.dropped;
    client->over = true;
    client->socket->drop();
  }
  std::erase_if(topics, [&](const auto& entry) {
    const auto& watched = *entry.second;
    return watched.clients.empty() && !watched.asking && now - watched.idle_since >= kRemember;
  });
}

// ---- what others see
// -----------------------------------------------------------------------------

LiveHub::LiveHub(asio::any_io_executor loop, Clock& clock)
    : state_(std::make_shared<State>(std::move(loop), clock)) {}

LiveHub::~LiveHub() = default;

void LiveHub::add(StateTopic topic) {
  auto& kind = state_->kinds.emplace_back();
  kind.name = topic.name;
  kind.least = topic.least;
  kind.interval = topic.interval;
  kind.provider = std::move(topic);
}

void LiveHub::add(GrowingTopic topic) {
  auto& kind = state_->kinds.emplace_back();
  kind.name = topic.name;
  kind.least = topic.least;
  kind.interval = topic.interval;
  kind.provider = std::move(topic);
}

void LiveHub::watch_sessions(Still still) { state_->still = std::move(still); }

void LiveHub::when_defect(Defect tell) { state_->tell_defect = std::move(tell); }

Task<void> LiveHub::run() {
  const auto state = state_;
  std::exception_ptr why;
  try {
    for (;;) {
      co_await state->clock.sleep_for(kLook);
      state->look();
    }
  } catch (...) {
    why = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  state->stopped = true;
  for (const auto& client : state->clients)
    client->end(kGoingAway, "the gateway stops", state->clock.mono());
  state->asking.cancel();
  co_await state->asking.join();
  std::rethrow_exception(why);
}

Task<void> LiveHub::serve(std::shared_ptr<WebSocket> socket, Caller caller) {
  const auto state = state_;
  if (const auto no = full(caller); no || state->stopped) {
    co_await socket->close(kTryLater, no ? no->detail : "the gateway stops");
    co_return;
  }
  const auto client = std::make_shared<LiveClient>(std::move(socket), std::move(caller),
                                                   state->loop, state->clock.mono());
  const auto place = state->clients.insert(state->clients.end(), client);
  const std::shared_ptr<void> seat(nullptr, [state, place](void*) {
    const auto leaving = *place;
    state->clients.erase(place);
    leaving->over = true;
    leaving->socket->drop();
    state->leave(*leaving);
  });
  TaskGroup talk(state->loop);
  talk.spawn(state->read(client));
  talk.spawn(state->write(client));
  co_await talk.run();
}

std::optional<LiveHub::Full> LiveHub::full(const Caller& caller) const {
  const auto& clients = state_->clients;
  if (clients.size() >= kMostClients)
    return Full{503, fmt::format("{} live feeds are open, no more are served", clients.size())};
  const auto& id = caller.session.empty() ? caller.token : caller.session;
  const auto mine = std::count_if(clients.begin(), clients.end(), [&](const auto& client) {
    return (client->caller.session.empty() ? client->caller.token : client->caller.session) == id;
  });
  if (static_cast<std::size_t>(mine) >= kMostPerSession)
    return Full{429, fmt::format("this session has {} live feeds open already", mine)};
  return std::nullopt;
}

void LiveHub::recheck() { state_->recheck(); }

void LiveHub::nudge(std::string_view topic) {
  const auto known = state_->topics.find(topic);
  if (known != state_->topics.end()) known->second->bell.cancel();
}

LiveFigures LiveHub::figures() const {
  auto figures = state_->figures;
  figures.clients = state_->clients.size();
  figures.topics = state_->topics.size();
  return figures;
}

}  // namespace lightship::portal
