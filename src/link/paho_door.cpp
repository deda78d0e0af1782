// A queue and its thread.
#include "link/paho_door.h"

#include <chrono>
#include <stdexcept>

#include <MQTTAsync.h>
#include <pthread.h>

namespace lightship::link {
namespace {

// Paho's deepest call from here copies strings and queues a command.
constexpr std::size_t kDoorStack = 256 * 1024;

// Long enough for Paho's send thread to have begun its wait.
constexpr std::chrono::milliseconds kKnockAfter{1};

}  // namespace

PahoDoor& PahoDoor::get() {
  // Never destroyed: at exit Paho's threads may still run, and so may this one.
  static auto* door = new PahoDoor;
  return *door;
}

PahoDoor::PahoDoor() {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  ::pthread_attr_setstacksize(&attributes, kDoorStack);
  pthread_t thread{};
  const int refused = ::pthread_create(&thread, &attributes, run, this);
  ::pthread_attr_destroy(&attributes);
  if (refused != 0) throw std::runtime_error("no thread for MQTT");
  post([this] {
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    // It may queue while it is not connected, and keeps the newest message only.
    options.sendWhileDisconnected = 1;
    options.allowDisconnectedSendAtAnyTime = 1;
    options.deleteOldestMessages = 1;
    options.maxBufferedMessages = 1;
    MQTTAsync_createWithOptions(&doorstop_, "tcp://127.0.0.1:1", "doorstop",
                                MQTTCLIENT_PERSISTENCE_NONE, nullptr, &options);
  });
}

void PahoDoor::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  more_.notify_one();
}

void* PahoDoor::run(void* self) {
  ::pthread_setname_np(::pthread_self(), "mqtt");
  static_cast<PahoDoor*>(self)->serve();
  return nullptr;
}

void PahoDoor::knock() { MQTTAsync_send(doorstop_, "knock", 0, "", 0, 0, nullptr); }

void PahoDoor::serve() {
  std::deque<Job> batch;
  bool knocked = true;
  const auto waiting = [this] { return !jobs_.empty(); };
  for (;;) {
    std::unique_lock lock(mutex_);
    if (knocked) {
      more_.wait(lock, waiting);
    } else if (!more_.wait_for(lock, kKnockAfter, waiting)) {
      lock.unlock();
      knock();
      knocked = true;
      continue;
    }
    batch.swap(jobs_);
    lock.unlock();
    for (auto& job : batch) {
      job();
      job = nullptr;  // what it held goes now, not with the batch
    }
    batch.clear();
    knocked = false;
  }
}

}  // namespace lightship::link
