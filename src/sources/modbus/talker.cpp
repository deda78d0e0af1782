// Opens a line when it is needed.
#include "sources/modbus/talker.h"

namespace lightship::poller {

Task<Result<ByteVector>> Talker::ask(Ask ask, Tally& tally) {
  for (bool second = false;; second = true) {
    const bool used_before = conversation_ != nullptr;
    if (!conversation_) {
      auto opened = co_await open_();
      if (!opened) co_return fail(opened.error());
      conversation_ = std::move(*opened);
      serving_.spawn(conversation_->serve());
    }
    auto answer = co_await conversation_->ask(ask, tally);
    const bool lost = !conversation_->alive() || (!answer && answer.error().code == Errc::closed);
    if (lost) {
      // What serves it has ended with it, or ends now: the next one gets a new line.
      conversation_->close();
      while (serving_.running() > 0) co_await asio::post(asio::use_awaitable);
      conversation_.reset();
    }
    if (answer || !lost || !used_before || second) co_return answer;
  }
}

Task<void> Talker::end() {
  if (conversation_) conversation_->close();
  serving_.cancel();
  co_await serving_.join();
  conversation_.reset();
}

}  // namespace lightship::poller
