// Heartbeats: each long-running part says that it goes on, and by when it will say so again.
//
// The systemd watchdog and /healthz are fed from here, so a loop that hangs, a poller that waits
// for ever and a publisher that is stuck all show.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace lightship {

class Progress;

class Heartbeat {
 public:
  // "I am alive and shall be heard again within `limit`."
  void beat(Duration limit);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  friend class Progress;
  Heartbeat(Progress& house, std::string name) : house_(house), name_(std::move(name)) {}
  Progress& house_;
  std::string name_;
  MonoTime due_ = MonoTime::max();  // until the first beat nothing is promised
};

class Progress {
 public:
  explicit Progress(Clock& clock) : clock_(clock) {}
  std::unique_ptr<Heartbeat> enroll(std::string name);
  std::vector<std::string> late() const;  // the names of those that have not kept their word

 private:
  friend class Heartbeat;
  Clock& clock_;
  std::list<Heartbeat*> all_;
};

}  // namespace lightship
