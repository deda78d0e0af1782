// The version, for who asks the program.
#include "app/version.h"

#include "base/version.h"

namespace lightship::app {
std::string_view version() { return lightship::version(); }
}  // namespace lightship::app
