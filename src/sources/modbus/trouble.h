// What to look at when a device does not answer as it should, by what was heard of it.
#pragma once

#include <string>
#include <vector>

#include "core/view.h"

namespace lightship::poller {

// In the order in which to look. `exception`: its code, 0 where there is none; `unit`: the
// device's.
std::vector<std::string> advice_for(Trouble trouble, bool serial, int exception, int unit);

}  // namespace lightship::poller
