// One sink's queue in the outbox file: pushed, put on disk, offered, acknowledged.
//
// Only a window of the oldest messages is in memory; the rest is read from disk in order when the
// window runs low, so memory stays flat however much waits. Field loop only.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/task.h"
#include "store/outbox_disk.h"
#include "store/outbox_message.h"

namespace lightship {

class OutboxFile;

class OutboxQueue {
 public:
  OutboxQueue(OutboxFile& file, std::string name);
  OutboxQueue(const OutboxQueue&) = delete;
  OutboxQueue& operator=(const OutboxQueue&) = delete;

  // False: not taken, no number given (the disk takes nothing and what may wait for it in memory is
  // full). A measurement is then counted unmade; an alarm has to be offered again.
  bool push(OutboxMessage message);

  // The next that is committed and not under way (alarms first), now under way; nullptr: none is
  // ready (see on_ready). Valid until it is acknowledged, set aside or given back.
  const OutboxMessage* next();
  const OutboxMessage* peek();         // the same without taking it: to see whether it fits
  void acknowledge(std::uint64_t id);  // unknown ids are passed over
  // Poison: kept apart on disk with its reason, bounded, counted.
  void set_aside(std::uint64_t id, std::string reason);
  void give_back(std::uint64_t id);  // could not be sent now: offered again, in its old place
  void resend_all();  // the session is gone: everything under way is offered again in order

  // Called on the field loop when next() may have something new. Set an empty one before leaving.
  void on_ready(std::function<void()> ready) { ready_ = std::move(ready); }
  // Everything pushed and acknowledged so far is on disk, or the disk refuses, or `limit` is over.
  Task<void> flush(Duration limit = std::chrono::seconds(1));

  const std::string& name() const { return name_; }
  std::size_t waiting() const;  // messages not acknowledged
  std::size_t under_way() const { return under_way_.size(); }
  std::size_t bytes() const;
  std::uint64_t dropped() const { return dropped_; }  // since the start, as the further ones
  std::uint64_t thinned() const { return thinned_; }
  std::uint64_t unmade() const { return unmade_; }
  std::uint64_t set_aside_count() const { return aside_; }
  std::optional<Time> oldest() const;  // timestamp of the oldest that waits and is known

 private:
  friend class OutboxFile;

  struct LaneState {
    std::map<std::uint64_t, OutboxMessage> window;  // by id: committed and not acknowledged
    std::set<std::uint64_t> ready;                  // of these, not under way
    std::size_t window_bytes = 0;
    std::size_t count = 0, bytes = 0;  // committed and not acknowledged, on disk and in the window
    std::uint64_t loaded_to = 0;       // everything up to here is in the window or gone
    std::uint64_t disk_to = 0;         // the newest that is committed
    bool loading = false;
  };

  LaneState& lane(Lane which) { return lanes_[static_cast<std::size_t>(which)]; }
  LaneState* holder(std::uint64_t id);
  void leave(LaneState& lane, std::uint64_t id);  // out of the window and the counts

  // For the file.
  void committed(OutboxMessage message);
  void loaded(Lane which, std::vector<OutboxMessage> messages, bool all);
  void refill(Lane which);
  std::size_t drop_from_window(Lane which, std::size_t bytes);  // bytes freed
  void tell_ready();

  OutboxFile& file_;
  std::string name_;
  std::int64_t number_ = 0;  // in the file; 0: not known yet
  std::array<LaneState, 2> lanes_;
  std::set<std::uint64_t> under_way_;
  std::size_t fresh_ = 0, fresh_bytes_ = 0;  // pushed and not committed
  std::optional<Time> oldest_fresh_;
  std::function<void()> ready_;
  std::uint64_t dropped_ = 0, thinned_ = 0, unmade_ = 0, aside_ = 0;
};

}  // namespace lightship
