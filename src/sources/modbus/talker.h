// A line that is opened when somebody asks on it, and again after it was lost.
#pragma once

#include <functional>
#include <memory>

#include "sources/modbus/conversation.h"

namespace lightship::poller {

class Talker {
 public:
  using Open = std::function<Task<Result<std::unique_ptr<Conversation>>>()>;

  Talker(asio::any_io_executor executor, Open open)
      : open_(std::move(open)), serving_(std::move(executor)) {}

  // As Conversation::ask; besides, what opening the line gives. A line that was lost since it was
  // last used is opened again, once.
  Task<Result<ByteVector>> ask(Ask ask, Tally& tally);
  Task<void> end();  // must be awaited before the talker goes

 private:
  Open open_;
  TaskGroup serving_;
  std::unique_ptr<Conversation> conversation_;
};

}  // namespace lightship::poller
