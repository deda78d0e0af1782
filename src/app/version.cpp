// The version, from the build.
#include "app/version.h"

namespace lightship::app {
std::string_view version() { return LIGHTSHIP_VERSION; }
}  // namespace lightship::app
