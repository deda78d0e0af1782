// The one thread that calls into Paho.
//
// Paho guards all its clients with one mutex and holds it while it looks a name up, shakes hands
// for TLS or runs a callback, so any call may block for seconds (MQTTAsync_send too, which wants
// the mutex for a message id). The loop must not wait for that. Callers therefore hand their calls
// in here; they are made in the order given.
//
// Made at the first use and kept until the process ends, together with one Paho client that is
// never connected: without it MQTTAsync_destroy of the last client stops Paho's threads, sleeping
// for a second or more, and the next client starts them again.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace lightship::link {

class PahoDoor {
 public:
  using Job = std::move_only_function<void()>;

  static PahoDoor& get();
  void post(Job job);

 private:
  PahoDoor();
  static void* run(void* self);
  void serve();
  void knock();

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Job> jobs_;
  void* doorstop_ = nullptr;
};

}  // namespace lightship::link
