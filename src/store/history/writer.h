// The writer: one thread's side of history.db. Blocking; it lives on a Worker.
//
// `append` is one transaction and one append to the write-ahead log; `compact` carries what has
// gathered in the journal over into chunks and makes the hours and days of it; `expire` deletes
// what is too old or too much. A kill between two commits loses what was not committed, never more.
#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "store/history/batch.h"
#include "store/history/file.h"

namespace lightship::history {

// What this thread has given to write calls since it began, bytes; 0 where the kernel does not
// tell.
std::uint64_t bytes_written_by_this_thread();

class Writer {
 public:
  struct Figures {
    std::uint64_t written = 0;        // bytes given to the disk, as the kernel counts them
    std::uint64_t used = 0;           // bytes of the file that are in use
    std::uint64_t journal_bytes = 0;  // of blobs not yet compacted
    std::uint64_t series = 0;
    std::uint64_t blocks = 0;  // appended since it was opened
    Millis oldest_raw = 0;     // 0: there is none
  };

  // Opens or makes the file and makes up the roll-ups of raw values that a kill has left without.
  static Result<Writer> open(const std::filesystem::path& file);

  // `levels` gets where the counters among the batch's new groups stood before it.
  Result<void> append(const Batch& batch, std::vector<CounterLevel>* levels = nullptr);

  // Something else with the file, whose writing is counted too.
  template <class F>
  auto maintain(F work) {
    const auto before = bytes_written_by_this_thread();
    auto done = work(database_);
    figures_.written += bytes_written_by_this_thread() - before;
    return done;
  }

  const Figures& figures() const { return figures_; }
  sqlite::Database& database() { return database_; }
  void refresh_figures();

 private:
  Writer(sqlite::Database database) : database_(std::move(database)) {}
  struct Known {
    std::int64_t layout = 0;
    std::vector<std::int64_t> series;
  };
  Result<Known> resolve(const Layout& layout);
  Result<std::string> former_name(const std::string& name, const std::string& unit);
  Result<void> find_levels(std::uint32_t group, const Layout& layout, const Known& known,
                           std::vector<CounterLevel>& levels);

  sqlite::Database database_;
  std::map<std::uint32_t, Known> layouts_;
  Figures figures_;
};

}  // namespace lightship::history
