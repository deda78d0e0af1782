// The gate: from a request to who asks.
#pragma once

#include <optional>

#include "portal/auth/caller.h"
#include "portal/http/message.h"

namespace lightship::portal {

class Gate {
 public:
  virtual ~Gate() = default;
  // By session cookie or bearer token; nothing where there is none, it is wrong, ended or expired.
  // Quick: no file, no waiting.
  virtual std::optional<Caller> who(const Request& request) = 0;
};

}  // namespace lightship::portal
