// The figures of machine and program, measured once a second, and their past.
//
// Whoever asks is answered from memory. What may take its time (free space of a disk that hangs, a
// slow sensor) is asked of the worker apart and shows as it was last known. While the field loop
// does not answer its rates are those it had; in the past they are missing. Portal loop only.
#pragma once

#include <functional>
#include <optional>

#include <boost/json/object.hpp>

#include "base/worker.h"
#include "portal/diag/figures.h"
#include "portal/diag/metrics_ring.h"
#include "portal/field.h"

namespace lightship::portal {

// What the field loop counts, since the start.
struct FieldCounts {
  std::uint64_t polls = 0, failed = 0, points = 0, published = 0, packets = 0;
  double waiting = 0;
  std::optional<double> oldest_waiting_s, last_poll_s;
};
FieldCounts count_field(Context& context);

// What is slow to ask.
struct SlowFigures {
  std::optional<double> temperature;
  std::string disk_path;
  std::uint64_t disk = 0, disk_free = 0;
};

class Meter {
 public:
  static constexpr auto kEvery = std::chrono::seconds(1);

  // `data_dir` may be empty: then the disk is that of "/".
  Meter(Clock& clock, Field& field, Worker& disk, std::filesystem::path data_dir,
        SysTree tree = SysTree());

  Task<void> run();  // until cancelled

  // Metrics of web/src/api/types.ts, and MetricsAnswer with the past.
  boost::json::object now() const;
  boost::json::object with_past(std::chrono::minutes back) const;

  // One look; `run` does it once a second.
  void look(const std::optional<FieldCounts>& counts);
  void note(SlowFigures slow) { slow_ = std::move(slow); }

 private:
  struct Look {
    MonoTime at{};
    SystemFigures system;
    ProcessFigures process;
    std::optional<FieldCounts> counts;
  };
  struct Rates {
    double cpu = 0, process_cpu = 0;
    std::optional<std::array<double, 5>> field;  // polls failed points published packets
  };
  Rates rates() const;
  void remember(MonoTime now);
  Task<void> ask_slow();

  Clock& clock_;
  Field& field_;
  Worker& disk_;
  std::filesystem::path data_dir_;
  SysTree tree_;

  // So many looks that rates are over 5 s: a poll every second or two is no flicker then.
  std::deque<Look> looks_;
  SlowFigures slow_;
  MetricsRing ring_;
  std::optional<MonoTime> row_due_;
};

}  // namespace lightship::portal
