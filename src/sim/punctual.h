// Sleeping to the microsecond, on a thread of one's own.
#pragma once

#include "base/clock.h"

namespace lightship::sim {

// The kernel may wake the calling thread up to 50 us late unless it is asked not to. `real_time`
// also asks for a fixed priority, which only the administrator gets: a device's clockwork does not
// wait for this machine's other programs.
void become_punctual(const char* name, bool real_time);

// An alarm that can be called off from another thread.
class Alarm {
 public:
  Alarm();
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // False when called off.
  bool sleep_until(MonoTime when);

  enum class Woken { readable, time, called_off };
  Woken wait_readable(int fd, MonoTime until);

  void call_off();

 private:
  int event_;
};

}  // namespace lightship::sim
