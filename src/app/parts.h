// The parts that run: started, drained, stopped, and after a reload only those restarted that
// changed.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/part.h"
#include "core/supervise.h"

namespace lightship::app {

class Parts final : public Viewed {
 public:
  explicit Parts(Context& context) : context_(context), log_(context.logbook, "lightship") {
    context.viewed = this;
  }
  // What the picture says of the program as a whole.
  void program(std::function<void(View&)> tell) { program_ = std::move(tell); }

  void start(std::vector<Part> parts);

  // Stops what is gone or changed, starts what is new or changed. Returns the names of those
  // touched.
  Task<std::vector<std::string>> change_to(std::vector<Part> parts, Duration drain);

  // Stops one part and starts it again, it is listed as stopping meanwhile; a sink first delivers
  // what waits, within `drain`. invalid: there is none of this name, with those that there are.
  // refused: it is ending already.
  Task<Result<void>> restart(std::string name, Duration drain);

  // The tap first, then the pipes: sources stop, sinks deliver what waits within `drain`, then
  // stop.
  Task<void> stop_all(Duration drain);

  void nudge();
  void describe_status(JsonWriter& json) const;
  // What the portal shows of them.
  void look(View& view) const override;
  void look_at_plans(View& view) const override;
  std::optional<PointsView> look_at_points(DeviceId device) const override;
  bool poll_now(DeviceId device) override;
  std::size_t count() const { return running_.size(); }
  std::vector<std::string> names() const;
  // It is being stopped, or stopped to be started again.
  bool ends(std::string_view name) const;
  const PartState* state(std::string_view name) const;

 private:
  struct Running {
    Running(Context& context, Part what) : part(std::move(what)), group(context.executor) {
      state.name = part.name;
      state.kind = part.kind;
      state.since = context.clock.now();
    }
    Part part;
    bool gone = false;  // from the configuration
    bool ending = false;
    PartState state;
    std::unique_ptr<Runner> runner;
    TaskGroup group;
  };
  using List = std::list<std::unique_ptr<Running>>;

  static PartState::Life life_of(const Running& part) {
    return part.ending ? PartState::Life::stopping : part.state.life;
  }
  void begin(Part part);
  Task<void> end(List which, Duration drain);
  // Those that run, then those that end.
  void each(const std::function<void(const Running&)>& visit) const;

  Context& context_;
  Log log_;
  List running_;
  List ending_;  // what it has is shown until it is over
  std::function<void(View&)> program_;
};

}  // namespace lightship::app
