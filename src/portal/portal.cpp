// The portal's thread.
#include "portal/portal.h"

#include <thread>

#include "portal/rooms.h"

namespace lightship::portal {

struct Portal::State {
  State(Context& of, Program with) : context(of), program(std::move(with)) {}
  Context& context;
  Program program;
  asio::io_context loop{1};
  std::unique_ptr<Rooms> rooms;
  std::unique_ptr<TaskGroup> tasks;
  std::thread thread;
};

Portal::Portal(Context& context, Program program)
    : state_(std::make_shared<State>(context, std::move(program))) {}

Portal::~Portal() { stop(); }

void Portal::start(const Settings& settings, std::function<void(std::string)> listening) {
  stop();
  auto& state = *state_;
  state.loop.restart();
  const auto loop = state.loop.get_executor();
  state.rooms =
      std::make_unique<Rooms>(loop, state.context, state.program, settings, std::move(listening));
  state.tasks = std::make_unique<TaskGroup>(loop);
  state.tasks->spawn(state.rooms->run());
  state.thread = std::thread([kept = state_] { kept->loop.run(); });
}

void Portal::stop() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->loop, [state = state_] {
    state->tasks->cancel();
    state->rooms->close();
  });
  state_->thread.join();
  state_->tasks.reset();
  state_->rooms.reset();
}

}  // namespace lightship::portal
