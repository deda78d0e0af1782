// The version, from the build.
#pragma once

#include <string_view>

namespace lightship::app {
std::string_view version();
}
