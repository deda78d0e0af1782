// Reads that go to the device, for `pass_through`, and writes: one at a time per device, in the
// order they came, equal reads only once.
//
// The queue of a device is bounded and every read has a limit, so a dead device cannot gather the
// requests of impatient clients (the storm of 3cky/mbusd#36). What nobody waits for any more is
// never sent.
#pragma once

#include <list>
#include <map>
#include <vector>

#include "core/context.h"
#include "sinks/modbus_gateway/answer.h"

namespace lightship::gateway {

// Waits for the answer to one request at a time.
class Asker {
 public:
  virtual ~Asker() = default;
  virtual std::string name() const = 0;  // for the audit of a write
  virtual void answered(const Result<ByteVector>& said) = 0;
};

class Forwarder {
 public:
  static constexpr std::size_t kQueue = 64;                    // different reads waiting per device
  static constexpr Duration kLimit = std::chrono::seconds(5);  // from the request to its answer

  // `tasks` must have ended before the Forwarder goes.
  Forwarder(Context& context, Tally& tally, TaskGroup& tasks)
      : context_(context), tally_(tally), tasks_(tasks) {}

  // Answers later, never from inside this call; false when the device has too much to do already.
  bool ask(Asker& asker, const Ask& what);
  void forget(const Asker& asker);

  std::size_t waiting() const;

 private:
  struct Flight {
    Space space{};
    std::uint16_t first = 0;
    std::uint16_t count = 0;
    ByteVector write;  // a write's PDU, and who asked
    std::string by;
    MonoTime until{};
    std::vector<Asker*> askers;
  };
  struct Queue {
    std::list<Flight> flights;  // the first is being asked while `busy`
    bool busy = false;
  };
  Task<void> serve(DeviceId device);
  Task<Result<ByteVector>> perform(DeviceId device, Flight flight);

  Context& context_;
  Tally& tally_;
  TaskGroup& tasks_;
  std::map<DeviceId, Queue> queues_;
};

}  // namespace lightship::gateway
