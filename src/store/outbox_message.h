// A message that a sink has to deliver, as it waits in the outbox.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace lightship {

// Alarms go before measurements; within a lane the order is that of queueing.
enum class Lane : std::uint8_t { alarm = 0, measurement = 1 };

struct OutboxMessage {
  std::uint64_t id = 0;  // given by the queue, grows
  Lane lane = Lane::measurement;
  std::string key;             // what `sequence` counts: the device's id; empty: no sequence
  std::uint64_t sequence = 0;  // given by the queue; 0 without a key
  std::string target;          // topic or URL
  std::string open_json;  // the body without its closing brace, without sequence and historical
  Time timestamp{};
  Duration interval{};  // older than this when sent: historical
  int qos = 1;
  bool retain = false;

  // Not kept on disk: on the steady clock of this run it has waited since then, or longer.
  MonoTime waits_since = MonoTime::max();

  // By either clock: one that was set back makes nothing young again.
  bool historical(Time now, MonoTime steady) const {
    return now - timestamp > interval ||
           (waits_since != MonoTime::max() && steady - waits_since > interval);
  }

  // What it counts for in `max_size`: its texts and what stands beside them in the file.
  std::size_t cost() const { return 64 + key.size() + target.size() + open_json.size(); }
};

// The finished text: sequence and historical are added when it is sent.
std::string finish_message(const OutboxMessage& message, bool historical);

}  // namespace lightship
