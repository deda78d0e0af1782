// The tools of the diagnostics page: who may be asked, and how many at once.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "core/line_budget.h"

namespace lightship::portal {

// What is wrong with a name or address, in words; nothing: it may be asked. Names are those of
// hosts (RFC 1123, 2.1, with the underscore that people use), addresses are literals. Nothing of it
// is ever given to a shell, but what begins with a dash is an option somewhere.
std::optional<std::string> wrong_host(std::string_view host);

// So many tools run at once, and so many are begun in a minute: a tool is for a person who looks,
// and must not make the gateway scan a network.
class ToolBench {
 public:
  static constexpr int kMostAtOnce = 4;

  explicit ToolBench(Clock& clock) : clock_(clock) {}

  // A place while it lives.
  using Place = std::shared_ptr<void>;
  struct Busy {
    std::string why;
    int again_s = 1;
  };
  // Nothing: no place now; `busy` says why.
  Place take(Busy& busy);

 private:
  Clock& clock_;
  LineBudget budget_{30, std::chrono::seconds(1)};
  std::shared_ptr<int> running_ = std::make_shared<int>(0);
};

}  // namespace lightship::portal
