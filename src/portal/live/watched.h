// A topic while it is watched: who watches, who is asked, and the coroutine that asks.
#pragma once

#include <vector>

#include "portal/live/client.h"

namespace lightship::portal {

// A row of the table of topics.
struct TopicKind {
  std::string name;  // "devices", or "device:" for all that begin so
  Role least = Role::viewer;
  Duration interval{};
  std::variant<StateTopic, GrowingTopic> provider;
};

struct Watched {
  Watched(std::string name, const TopicKind& of, std::string after_colon, Time now,
          const asio::any_io_executor& loop)
      : topic(std::move(name), now), kind(of), argument(std::move(after_colon)), bell(loop) {}

  LiveTopic topic;
  const TopicKind& kind;
  std::string argument;
  std::vector<LiveClient*> clients;
  std::optional<std::uint64_t> cursor;  // of what grows
  asio::steady_timer bell;              // rings when it is to be asked at once
  bool asking = false;                  // its coroutine lives
  bool fresh = false;                   // was asked since it is watched: what it says is true now
  bool failing = false;                 // and everybody was told so
  MonoTime idle_since{};

  void wake_clients() {
    for (auto* client : clients) client->wake();
  }
};

}  // namespace lightship::portal
