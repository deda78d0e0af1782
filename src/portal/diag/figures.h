// How busy this machine and this program are, from /proc (proc(5)).
#pragma once

#include <array>

#include "portal/diag/sys_tree.h"

namespace lightship::portal {

struct SystemFigures {
  // Of all processors since boot, in ticks; a part of the time is the difference of two looks.
  std::uint64_t busy_ticks = 0, all_ticks = 0;
  unsigned cores = 0;
  std::array<double, 3> load{};
  std::uint64_t memory = 0, memory_used = 0, swap = 0, swap_used = 0;  // bytes
  double uptime_s = 0;
};
SystemFigures system_figures(const SysTree& tree);

struct ProcessFigures {
  std::uint64_t ticks = 0;                    // of processor time used
  std::uint64_t resident = 0, anonymous = 0;  // bytes
  unsigned threads = 0;
  double uptime_s = 0;
};
// `boot_s`: how long the machine is up, for the process's age.
ProcessFigures process_figures(const SysTree& tree, double boot_s, double ticks_per_s);

// Between two looks, in per cent of all processors; 0 where no time went by.
double busy_percent(const SystemFigures& before, const SystemFigures& now);

struct Temperature {
  std::string name;
  double celsius = 0;
  std::optional<double> limit_c;  // where the machine slows down or stops
};
std::vector<Temperature> temperatures(const SysTree& tree);
// The one for a single figure: of the processor where one is known by its name, else the hottest.
std::optional<double> main_temperature(const std::vector<Temperature>& all);

}  // namespace lightship::portal
