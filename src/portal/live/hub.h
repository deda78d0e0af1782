// The live feed behind GET /api/live: topics that API resources register, and those who watch them.
//
// A topic's provider is asked only while somebody watches, at the topic's interval and never twice
// at once. What it says is compared with what was told before; the difference is written as text
// once and shared by all who watch. Nobody has a queue of frames of his own: each remembers which
// seq of each topic he was told last and takes the next from the topic's ring of newest deltas; who
// falls out of the ring gets a snapshot. So a slow one costs nothing and slows nobody.
//
// The shape of frames and data is that at the end of web/src/api/types.ts. Portal loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "portal/auth/caller.h"
#include "portal/http/web_socket.h"

namespace lightship::portal {

// The whole of what is true now, told as merge patches: "metrics", "devices", "device:<id>".
struct StateTopic {
  std::string name;  // one that ends with ':' stands for all that begin so
  Role least = Role::viewer;
  Duration interval = std::chrono::seconds(1);
  // `argument` is what follows the ':'. Errc::invalid: there is no such thing (any more), who
  // watches is told so and the topic ends. Any other error: told once, asked again.
  // Members must keep their kind or become null; `items` that have an identity are an object.
  std::function<Task<Result<boost::json::value>>(std::string argument)> provider;
};

// What only gets longer, told as {"items":{"append":[...],"keep":N}}: "logs", "frames:<line>".
struct GrowingTopic {
  struct News {
    boost::json::array items;  // oldest first
    std::uint64_t cursor = 0;  // what to ask with next time
  };
  std::string name;
  Role least = Role::viewer;
  Duration interval = std::chrono::milliseconds(500);
  std::size_t first = 200;  // so many of the newest are in a snapshot
  std::size_t keep = 3000;  // so many of the newest stay with who watches
  // What came after the cursor; without one the newest, at most `first`. Errors as above.
  std::function<Task<Result<News>>(std::string argument, std::optional<std::uint64_t> after)>
      provider;
};

struct LiveFigures {
  std::size_t clients = 0;
  std::size_t topics = 0;       // that are asked or remembered
  std::uint64_t frames = 0;     // written, of any kind
  std::uint64_t snapshots = 0;  // of them
  std::uint64_t asked = 0;      // how often providers were
  std::uint64_t skipped = 0;    // deltas that a slow client did not get, because it got a snapshot
  std::uint64_t dropped = 0;    // clients that took nothing for too long
  std::uint64_t ended = 0;      // feeds that ended with their session
};

class LiveHub {
 public:
  static constexpr std::size_t kMostClients = 2000;
  static constexpr std::size_t kMostPerSession = 32;  // tabs, also those that have not noticed yet
  static constexpr std::size_t kMostTopicsPerClient = 64;
  static constexpr std::size_t kMostTopics = 512;
  static constexpr std::size_t kMostMessage = 16 * 1024;

  // Whether this session or token is open still, with the rights it had. Asked every second for
  // every client and at `recheck`, so it must be quick.
  using Still = std::function<bool(const Caller&)>;

  LiveHub(asio::any_io_executor loop, Clock& clock);
  ~LiveHub();  // `run` and every `serve` must have ended

  void add(StateTopic topic);
  void add(GrowingTopic topic);
  void watch_sessions(Still still);  // without it no session ever ends
  // Called when a provider throws, and not for each time: who watches all day asks all day.
  using Defect = std::function<void(const std::string& topic, const std::string& what)>;
  void when_defect(Defect tell);

  // Asks providers, looks after clients, until cancelled; then says 1001 to all who watch. There is
  // no feed without it.
  Task<void> run();

  // One client from its upgrade to its end.
  Task<void> serve(std::shared_ptr<WebSocket> socket, Caller caller);
  // Whether there is room for one more of this caller: nothing, or the problem (503, 429) in words.
  struct Full {
    int status;
    std::string detail;
  };
  std::optional<Full> full(const Caller& caller) const;

  // A session has ended or a role has changed: whoever is not what he was is closed with 4401 now.
  void recheck();
  // Something has just changed (an alert was acknowledged): whoever watches this topic is told at
  // once and not at the next interval.
  void nudge(std::string_view topic);

  LiveFigures figures() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace lightship::portal
