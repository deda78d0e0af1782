// The line of a device, opened for one command where no gateway runs.
#pragma once

#include <memory>

#include "cli/device_target.h"
#include "sources/modbus/writer.h"

namespace lightship::cli {

class DirectLine final : public poller::WriteLine {
 public:
  DirectLine(asio::any_io_executor executor, Clock& clock, const DeviceTarget& target)
      : executor_(executor), clock_(clock), target_(target), serving_(executor) {}

  // Opens the line when it is not yet open. Sent once: what is worth a second try is known above.
  Task<Result<ByteVector>> ask_for(DeviceId device, modbus::Request request,
                                   Duration limit) override;
  Task<void> close();
  bool connected() const { return conversation_ != nullptr; }

 private:
  asio::any_io_executor executor_;
  Clock& clock_;
  const DeviceTarget& target_;
  TaskGroup serving_;
  std::unique_ptr<poller::Conversation> conversation_;
};

}  // namespace lightship::cli
