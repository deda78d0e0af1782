// A damaged history.db: what can be read is carried into a new file, row by row; the damaged one is
// moved aside.
#pragma once

#include <atomic>
#include <string>

#include "store/history/file.h"

namespace lightship::history {

struct Salvaged {
  std::uint64_t series = 0, layouts = 0, blocks = 0, chunks = 0, events = 0;  // saved
  std::uint64_t lost = 0;       // places in the tables that could not be read
  std::string mended;           // what of the first page was made anew, for people
  std::size_t removed = 0;      // files of earlier damage
  std::filesystem::path aside;  // where the damaged file lies now
  std::string text() const;     // for the log and the alert
};

// What is wrong with the file, or nothing. Looks for at most `limit`, or until `stop`; a big file
// is then taken as sound.
Result<std::string> what_is_wrong(sqlite::Database& database, Duration limit,
                                  const std::atomic<bool>* stop = nullptr);

// A repair that a kill ended after the damaged file was moved away: what was saved takes its place.
Result<void> finish_repair(const std::filesystem::path& file);

// Nothing is changed where it fails. unavailable: what is damaged could not be looked at, or what
// was saved not be written; cancelled: `stop` was set. Of damaged files the newest is kept for a
// person to look at.
Result<Salvaged> repair(const std::filesystem::path& file, Millis now,
                        const std::atomic<bool>* stop = nullptr);

}  // namespace lightship::history
