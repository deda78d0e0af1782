// How a failed read is told: the kind, the words, the exit status.
#pragma once

#include "base/result.h"

namespace lightship::cli {

// Prints {"error":{...}} on stdout or a line on stderr; returns 75 for an exception, else 69.
int tell_read_error(const Error& error, bool connected, bool json);

}  // namespace lightship::cli
