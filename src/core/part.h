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
#include "core/view.h"

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
  // A person wants the device polled now, whatever the pauses say. False: it is not this part's.
  virtual bool poll_now(DeviceId) { return false; }
  // What the portal shows of it: `me` has name, life and restarts already; further lines and
  // devices go to the end of `view`. Quick, because polls wait meanwhile.
  virtual void look(View&, ServiceView&) const {}
  // The poll plan of `view`.lines that are its own.
  virtual void look_at_plans(View&) const {}
  // What it knows of points beside their values. False: the device is not its own.
  virtual bool look_at_points(PointsView&) const { return false; }
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
