// Runs, logs once, pauses, runs again.
#include "core/supervise.h"

namespace lightship {

std::string_view to_string(PartState::Life life) {
  switch (life) {
    case PartState::Life::starting:
      return "starting";
    case PartState::Life::running:
      return "running";
    case PartState::Life::pausing:
      return "pausing";
    case PartState::Life::stopping:
      return "stopping";
    case PartState::Life::stopped:
      return "stopped";
  }
  return "stopped";
}

Task<void> supervise(Context& context, Runner& runner, PartState& state, Backoff::Settings pauses) {
  Log log(context.logbook, state.name);
  Backoff backoff(pauses, std::hash<std::string>{}(state.name));
  for (;;) {
    const auto started = context.clock.mono();
    state.life = PartState::Life::running;
    state.since = context.clock.now();
    Error why;
    try {
      why = co_await runner.run();
    } catch (const std::exception& thrown) {
      const auto current = std::current_exception();
      if (is_cancellation(current)) {
        state.life = PartState::Life::stopped;
        throw;
      }
      why = {Errc::invalid, fmt::format("a defect: {}", thrown.what()), 0};
    }
    if (context.clock.mono() - started > kGoodRun) backoff.reset();
    const auto pause = backoff.next();
    state.life = PartState::Life::pausing;
    state.last_error = why.text;
    state.since = context.clock.now();
    ++state.restarts;
    log.warn("stopped", field("why", why.text), field("again_in", for_people(pause)));
    co_await context.clock.sleep_for(pause);
  }
}

}  // namespace lightship
