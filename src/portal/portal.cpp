// The portal's thread, and how it is exchanged for another one.
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

  // Field loop only: what is wanted while the one before is on its way out.
  std::thread exchange;
  bool exchanging = false, stopped = false;
  Settings settings;
  std::function<void(std::string)> listening;

  void begin(const std::shared_ptr<State>& self) {
    loop.restart();
    const auto executor = loop.get_executor();
    rooms = std::make_unique<Rooms>(executor, context, program, settings, listening);
    tasks = std::make_unique<TaskGroup>(executor);
    tasks->spawn(rooms->run());
    thread = std::thread([self] { self->loop.run(); });
  }
  void ask_to_end() {
    asio::post(loop, [this] {
      tasks->cancel();
      rooms->close();
    });
  }
  void await_end() {
    thread.join();
    tasks.reset();
    rooms.reset();
  }
};

Portal::Portal(Context& context, Program program)
    : state_(std::make_shared<State>(context, std::move(program))) {}

Portal::~Portal() { stop(); }

void Portal::start(const Settings& settings, std::function<void(std::string)> listening) {
  auto& state = *state_;
  state.settings = settings;
  state.listening = std::move(listening);
  if (state.exchanging) return;  // it will begin with these
  if (!state.thread.joinable()) return state.begin(state_);
  // What a worker of the old one does (a disk that hangs, a file that is locked) may take its time:
  // it is waited for elsewhere, and nothing that is polled is late for it.
  state.exchanging = true;
  state.ask_to_end();
  state.exchange = std::thread([kept = state_] {
    kept->await_end();
    asio::post(kept->context.executor, [kept] {
      if (kept->stopped) return;
      kept->exchange.join();
      kept->exchanging = false;
      kept->begin(kept);
    });
  });
}

void Portal::stop() {
  auto& state = *state_;
  state.stopped = true;
  if (state.exchange.joinable()) state.exchange.join();
  if (!state.thread.joinable()) return;
  state.ask_to_end();
  state.await_end();
}

}  // namespace lightship::portal
