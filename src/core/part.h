// A part: one thing that runs under the supervisor and is restarted alone when its configuration
// changes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "base/task.h"
#include "core/context.h"

namespace lightship {

// A source or a sink while it runs.
class Runner {
 public:
  virtual ~Runner() = default;
  // Runs until cancelled, or returns why it stopped; the supervisor starts it again after a pause.
  virtual Task<Error> run() = 0;
  // After the sources have stopped and before the cancellation: deliver what waits, within `limit`.
  virtual Task<void> drain(Duration limit) {
    (void)limit;
    co_return;
  }
  // A person wants it tried now: forget the pauses between tries.
  virtual void nudge() {}
  // The configuration no longer has this part; told before it is drained. What it has raised is
  // over.
  virtual void removed() {}
  // Members of the part's object in GET /api/status.
  virtual void describe_status(JsonWriter&) const {}
};

struct Part {
  enum class Kind { source, sink };
  std::string name;  // "modbus/main-panel", unique
  Kind kind;
  std::string fingerprint;  // equal fingerprints need no restart
  std::function<std::unique_ptr<Runner>(Context&)> make;
};

}  // namespace lightship
