// What to do when a port cannot be had, for the commands that need it for themselves.
#pragma once

#include <string>

#include "base/result.h"

namespace lightship::cli {

// A line for people, with its own indentation and line end; empty where nothing is to be advised.
std::string port_advice(const Error& error, bool only_listens);

}  // namespace lightship::cli
