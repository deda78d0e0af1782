// Asks a device over its own line.
#include "cli/direct_line.h"

namespace lightship::cli {

Task<Result<ByteVector>> DirectLine::ask_for(DeviceId, modbus::Request request, Duration limit) {
  if (!conversation_) {
    auto opened =
        co_await poller::open_line(executor_, clock_, *target_.connection, target_.serial());
    if (!opened) {
      auto error = opened.error();
      error.code = Errc::unavailable;  // nothing was sent
      co_return fail(std::move(error));
    }
    conversation_ = std::move(*opened);
    serving_.spawn(conversation_->serve());
  }
  poller::Ask ask;
  ask.unit = target_.setup.info.unit;
  ask.request = std::move(request);
  ask.patience = ask.limit = std::min(limit, target_.connection->timeout);
  ask.pause = target_.setup.pause;
  ask.answers_as = target_.setup.answers_as;
  poller::Tally tally;
  auto asking = conversation_->ask(std::move(ask), tally);
  co_return co_await std::move(asking);
}

Task<void> DirectLine::close() {
  if (conversation_) conversation_->close();
  serving_.cancel();
  co_await serving_.join();
}

}  // namespace lightship::cli
