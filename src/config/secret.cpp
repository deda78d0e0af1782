// Shows that there is a secret, never which.
#include "config/secret.h"

#include <ostream>

namespace lightship::config {

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return out << (secret.empty() ? "(none)" : "(secret)");
}

}  // namespace lightship::config
