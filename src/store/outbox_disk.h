// The outbox file as its thread sees it: opening, committing, reading on. See outbox_file.h.
//
// The rows of a lane lie together and in order, because the row's number is made of queue, lane and
// id: a message costs one append at the end of its lane and no index.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/outbox_hand.h"
#include "store/outbox_message.h"
#include "store/outbox_numbers.h"
#include "store/sqlite/database.h"

namespace lightship {

class OutboxDisk {
 public:
  // queue (15 bits), lane (1), id (47).
  static std::int64_t row(std::int64_t queue, Lane lane, std::uint64_t id) {
    return queue << 48 | static_cast<std::int64_t>(lane) << 47 | static_cast<std::int64_t>(id);
  }
  static constexpr std::uint64_t kLastId = (1ull << 47) - 1;
  static constexpr std::int64_t kLastQueue = (1 << 15) - 1;

  struct LaneFound {
    std::size_t count = 0, bytes = 0;
    std::uint64_t newest = 0;
  };
  struct QueueFound {
    std::string name;
    LaneFound lanes[2];
    std::uint64_t aside = 0;
  };
  struct Found {
    std::map<std::int64_t, QueueFound> queues;
    std::map<std::pair<std::int64_t, std::string>, std::uint64_t> sequences;
    std::uint64_t last_id = 0;
    std::vector<std::string> notes;  // for the log
    std::string damage;  // not empty: for people, what was wrong and where the rest lies
  };

  struct Insert {
    std::int64_t queue;
    std::string queue_name;
    OutboxMessage message;
  };
  struct Aside {
    std::int64_t row;
    std::string reason;
    Time at;
  };
  // Makes room: the oldest of a lane behind `after` go until `bytes` are freed.
  struct Trim {
    std::int64_t queue;
    Lane lane;
    std::uint64_t after;
    std::size_t bytes;
    bool thin;
  };
  struct Trimmed {
    std::int64_t queue;
    Lane lane;
    std::size_t count = 0, bytes = 0;
    bool thin = false;
  };
  struct Batch {
    std::vector<std::pair<std::int64_t, std::string>> queues;  // new ones
    std::vector<std::int64_t> deletes;                         // rows
    std::vector<Aside> asides;
    std::vector<Trim> trims;
    std::vector<Insert> inserts;
    bool may_shrink = false;  // little waits: pages that are free for long may go
    bool empty() const {
      return queues.empty() && deletes.empty() && asides.empty() && trims.empty() &&
             inserts.empty();
    }
  };
  struct Outcome {
    bool removed = false;      // deletes, asides, trims and new queues are on disk
    std::size_t inserted = 0;  // so many of the inserts, from the first
    std::vector<Trimmed> trimmed;
    bool no_room_left = false;  // it went into the room that was kept; others find none
    Result<void> done;
  };
  struct Page {
    std::vector<OutboxMessage> messages;
    bool all = false;  // there was nothing more in the lane
  };

  // `file` empty: in memory.
  explicit OutboxDisk(std::filesystem::path file);
  ~OutboxDisk();

  // Opens or makes the file; one that is damaged is moved aside and what can be read of it taken
  // over. `now` names what is moved aside; `known` is what must be in it besides (and what must
  // not), after trouble while running.
  Result<Found> open(Time now, const Batch& known);
  Outcome commit(Batch& batch);
  // The next of a lane behind `after`: so many, or so many bytes (one at least).
  Result<Page> read(std::int64_t queue, Lane lane, std::uint64_t after, std::size_t most,
                    std::size_t most_bytes);
  Result<OutboxHandiwork> by_hand(
      const std::function<Result<OutboxHandiwork>(sqlite::Database&)>& work) {
    if (!database_) return fail(Errc::unavailable, "outbox.db is not open");
    return work(*database_);
  }
  // Any thread: the look at the whole file is given up (it is taken as sound), a repair too (it
  // begins anew at the next opening).
  void stop() { stop_ = true; }
  bool is_open() const { return database_ != nullptr; }
  // Any thread: it is damaged, and what is left could not be taken over at the last opening.
  bool waits_for_salvage() const { return waits_for_salvage_; }
  const std::filesystem::path& file() const { return file_; }

 private:
  struct Statements;
  Result<sqlite::Database> open_sound(const std::filesystem::path& file, bool* was_empty = nullptr);
  Result<void> look(Found& found);
  Result<void> settle_numbers(Found& found, bool lost, bool was_there);
  void begin_generation();  // a copy of the file as it was is old from now on
  Result<void> reserve();   // room that a full disk cannot take from us
  Result<void> write(const Batch& batch, bool removals, std::size_t inserts, Outcome& outcome);
  Result<void> room_for(const Batch& batch, std::size_t inserts);
  Result<void> trim(const Trim& what, std::vector<Trimmed>& trimmed);
  Result<Trimmed> thin(const Trim& what);
  bool disk_is_full() const;
  Result<void> shrink();
  void close();

  std::filesystem::path file_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<Statements> statements_;
  unsigned commits_ = 0;
  OutboxNumbers numbers_;  // the second copy of the counters
  MonoTime generation_began_{};
  bool numbered_ = false;  // numbers were given in this generation
  std::map<std::pair<std::int64_t, int>, std::int64_t> thinned_to_;
  std::atomic<bool> stop_ = false, waits_for_salvage_ = false;
};

}  // namespace lightship
