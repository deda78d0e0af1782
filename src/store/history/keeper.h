// The keeper of history.db: opens it, repairs it, appends, compacts, deletes, counts. Blocking; it
// lives on a Worker, and what it has to say comes back as a report.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "core/backoff.h"
#include "store/history/compact.h"
#include "store/history/repair.h"
#include "store/history/writer.h"

namespace lightship::history {

class Keeper {
 public:
  struct Settings {
    std::filesystem::path file;
    Retention retention;
    std::uint64_t write_budget = 0;  // bytes a day (UTC); 0: no limit
  };
  struct Report {
    Result<void> done;
    bool full = false;                 // the error is one that room on the disk would mend
    bool new_writer = false;           // groups must be given again
    std::vector<std::string> news;     // for the log: what was repaired
    std::string repaired;              // for the alert; empty: nothing
    std::vector<CounterLevel> levels;  // where the counters of new groups stood
    Writer::Figures figures;
    std::uint64_t written_today = 0, expired_rows = 0;
    bool over_budget = false;
  };

  explicit Keeper(Settings settings) : settings_(std::move(settings)) {}

  // Opens when it must, appends all of the batches (or none of the one that fails), and does what
  // is due. `appended` says how many were.
  // `steady` is the time of a clock that nobody sets, at `now`.
  Report work(const std::vector<const Batch*>& batches, std::size_t& appended, Millis now,
              MonoTime steady);
  // Any thread: what may take long is given up, `close` follows.
  void stop() { stop_ = true; }
  // `everyone` has the groups of all that is in `batches`, should they have to be given anew.
  Report close(const Batch& everyone, const std::vector<const Batch*>& batches,
               std::size_t& appended, Millis now, MonoTime steady);

 private:
  Result<void> open(Report& report, Millis now, MonoTime steady);
  Result<void> maintain(Report& report, Millis now);
  Result<void> save_figures();
  void watch_clock(Millis now, MonoTime steady);
  Result<Millis> old_is_before(Millis now);
  void account(Millis now);

  Settings settings_;
  std::optional<Writer> writer_;
  Millis day_ = -1;                   // whose bytes are counted
  std::uint64_t written_before_ = 0;  // that day, by those before
  std::uint64_t written_since_ = 0;   // of the writer's count, when the day began
  std::uint64_t expired_ = 0;
  Millis looked_at_ = 0;  // for what is old
  bool damaged_ = false;
  // A repair that fails is begun anew with growing pauses: it writes much, maybe in vain.
  Backoff pauses_{{.first = std::chrono::seconds(5), .limit = std::chrono::minutes(5)}};
  MonoTime repair_at_{};
  std::optional<Error> unrepaired_;
  // The wall clock beside the steady one: since when it has run on without a step.
  struct Watched {
    Millis wall = 0;
    MonoTime steady, since;
  };
  std::optional<Watched> watched_;
  std::atomic<bool> stop_ = false;
};

}  // namespace lightship::history
