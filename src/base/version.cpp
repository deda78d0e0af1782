// The version, from the build.
#include "base/version.h"

namespace lightship {
std::string_view version() { return LIGHTSHIP_VERSION; }
}  // namespace lightship
