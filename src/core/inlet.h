// An inlet: what one reader has not yet read of the bus. Bounded; the oldest is dropped and
// counted.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/task.h"
#include "core/event.h"

namespace lightship {

class Inlet {
 public:
  Inlet(asio::any_io_executor executor, std::string name, std::size_t capacity,
        std::shared_ptr<std::vector<Inlet*>> siblings);
  ~Inlet();
  Inlet(const Inlet&) = delete;
  Inlet& operator=(const Inlet&) = delete;

  Task<Event> next();  // waits for one
  void offer(const Event& event);

  const std::string& name() const { return name_; }
  std::size_t waiting() const { return events_.size(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  std::string name_;
  std::size_t capacity_;
  std::shared_ptr<std::vector<Inlet*>> siblings_;
  std::deque<Event> events_;
  asio::steady_timer ready_;  // never expires; cancelled when an event comes
  std::uint64_t dropped_ = 0;
};

}  // namespace lightship
