// An archive of small files, as `tar` unpacks it (POSIX ustar).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace lightship::portal {

// One file with its head and padding. `name` has at most 100 bytes.
std::string tar_entry(std::string_view name, std::string_view content, Time modified);
std::string tar_end();

}  // namespace lightship::portal
