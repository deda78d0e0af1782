// The outbox: what a sink still has to deliver, oldest first. In memory for now, bounded in bytes.
//
// A message leaves when it is acknowledged. Past the limit the oldest is dropped and counted; the
// gap in `sequence` proves it to the receiver.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.h"

namespace lightship {

class Outbox {
 public:
  struct Message {
    std::uint64_t id = 0;  // grows by one per message of this outbox
    std::string topic;
    std::string open_json;  // see core/measurement.h
    Time timestamp{};
    Duration interval{};  // older than this when sent: historical
    int qos = 1;
    bool retain = false;
    bool sent = false;  // under way, not yet acknowledged
    bool acknowledged = false;
  };

  explicit Outbox(std::size_t limit_bytes) : limit_(limit_bytes) {}

  void push(Message message);
  Message* next_unsent();              // the oldest that is not under way
  void acknowledge(std::uint64_t id);  // unknown ids are passed over: answers to an older session
  void resend_all();                   // the session is gone: nothing is under way any more

  std::size_t waiting() const { return messages_.size(); }
  std::size_t under_way() const { return under_way_; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  static std::size_t cost(const Message& message);
  void trim();

  std::size_t limit_;
  std::deque<Message> messages_;
  std::size_t next_ = 0;  // index of the oldest unsent
  std::uint64_t last_id_ = 0;
  std::size_t under_way_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace lightship
