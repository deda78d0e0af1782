// A password that somebody types, or a script sends.
#pragma once

#include <string>

#include "base/result.h"

namespace lightship::cli {

// The first line of stdin.
Result<std::string> password_from_stdin();
// Asks twice on the terminal, without an echo. Errc::invalid: there is none, or the two differ.
Result<std::string> password_from_terminal();

}  // namespace lightship::cli
