// One who watches: which topics, how far each was told, and what is to be said to him next.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "portal/live/topic.h"

namespace lightship::portal {

struct Watched;  // a topic and those who watch it, see watched.h

struct LiveClient {
  LiveClient(std::shared_ptr<WebSocket> to, Caller who, const asio::any_io_executor& loop,
             MonoTime now)
      : socket(std::move(to)), caller(std::move(who)), bell(loop), counted(now) {
    bell.expires_at(asio::steady_timer::time_point::max());
  }

  struct Subscription {
    std::shared_ptr<Watched> topic;
    std::optional<std::uint64_t> told;  // nothing: a snapshot is due
  };

  // Messages a second that a page in a hurry may send, and how many at once. A page sends one ping
  // a second and two messages when it changes.
  static constexpr double kMessagesPerSecond = 20;
  static constexpr double kMostMessagesAtOnce = 100;
  // Messages that make no sense, before it is taken for somebody who tries things.
  static constexpr int kMostMistakes = 10;
  // Answers that wait for one who sends and does not read.
  static constexpr std::size_t kMostAnswers = 128;

  std::shared_ptr<WebSocket> socket;
  Caller caller;
  asio::steady_timer bell;  // rings when there is something to say
  std::vector<Subscription> watches;
  std::vector<Text> answers;  // pongs and errors, before everything else
  std::size_t turn = 0;       // whose topic is next

  bool over = false;           // one of reader and writer has ended
  std::uint16_t end_code = 0;  // not 0: to be closed with this
  std::string end_reason;
  MonoTime end_since{};

  std::optional<MonoTime> writing_since;
  std::size_t writing_bytes = 0;

  double allowance = kMostMessagesAtOnce;
  MonoTime counted;
  int mistakes = 0;

  bool may_send(MonoTime now);  // one more message
  void wake() { bell.cancel(); }
  void end(std::uint16_t code, std::string_view reason, MonoTime now);
  void answer(Text frame, MonoTime now);
};

}  // namespace lightship::portal
