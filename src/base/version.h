// The version, from the build.
#pragma once

#include <string_view>

namespace lightship {
std::string_view version();
}
