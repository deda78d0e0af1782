// Times as a person types them: RFC 3339, a date, "now", "-2h".
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace lightship::config {

// "2026-01-04T12:34:56Z", "...+02:00", "2026-01-04 12:34" and "2026-01-04" (UTC), "now",
// "today", "yesterday", "-90m", seconds since 1970.
std::optional<Time> parse_time(std::string_view text, Time now);

}  // namespace lightship::config
