// Does somebody keep this machine's clock right, and who?
#pragma once

#include "portal/diag/sys_tree.h"

namespace lightship::portal {

struct TimeFacts {
  std::string zone;                  // "Europe/Berlin"; "UTC" where nothing is set
  std::optional<bool> synchronised;  // nothing: this system does not say
  std::string source;                // "systemd-timesyncd"; empty: none is known
};

// `kernel_says`: of adjtimex(2); nothing where it may not be asked.
TimeFacts time_facts(const SysTree& tree, std::optional<bool> kernel_says);

// Whether the kernel is told that its clock is right (STA_UNSYNC is not set).
std::optional<bool> kernel_clock_synchronised();

}  // namespace lightship::portal
