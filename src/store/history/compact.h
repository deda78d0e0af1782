// Compaction: what gathered in the journal in the order of time becomes chunks in the order of
// series, with the hours and days of its minutes. And expiry: what is too old or too much goes.
#pragma once

#include <atomic>

#include "store/history/file.h"

namespace lightship::history {

struct Retention {
  Millis raw = 0, minute = 0, hour = 0, day = 0;
  std::uint64_t max_size = 0;  // bytes in use; 0: no limit
};

struct Compacted {
  std::uint64_t blocks = 0;   // carried over
  std::uint64_t values = 0;   // raw values in them
  std::uint64_t damaged = 0;  // that could not be decoded
};

// All blocks that ended before `before`, in one transaction. cancelled: `stop` was set meanwhile,
// and nothing is changed.
Result<Compacted> compact(sqlite::Database& database, Millis before,
                          const std::atomic<bool>* stop = nullptr);

// Deletes what is past its time at `now` (0: nothing is), then the oldest of the finest tier while
// too much is used. Returns the rows of the table that went.
Result<std::uint64_t> expire(sqlite::Database& database, const Retention& retention, Millis now);

}  // namespace lightship::history
