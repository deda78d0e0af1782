// One connection: one Paho client from its making to its end.
//
// Made, used and abandoned on the loop. Paho's threads add events; the first of a batch posts to
// the loop, where `on_event` is called for each in order. After `abandon` nothing is called any
// more; the session itself lives until Paho has let go of it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "link/mqtt_settings.h"

namespace lightship::link {

struct MqttEvent {
  enum class Kind { connected, connect_failed, lost, published, disconnected };
  Kind kind;
  int code = 0;  // positive: the broker's, negative: Paho's; of `connected`: its receive maximum
  std::uint64_t number = 0;  // of the publish; the first is 1
  std::string text{};        // Paho's words
};

class MqttSession : public std::enable_shared_from_this<MqttSession> {
 public:
  using OnEvent = std::function<void(const MqttEvent&)>;

  MqttSession(boost::asio::any_io_executor executor, MqttSettings settings, OnEvent on_event);

  void connect(std::string uri);
  void publish(std::uint64_t number, std::string topic, std::string payload, int qos, bool retain);
  void disconnect();  // a goodbye; `disconnected` follows
  void abandon();

  std::string tls_text();  // what OpenSSL complained about

 private:
  struct Calls;  // what Paho calls
  struct Slot {
    MqttSession* session;
    std::uint64_t number;  // 0 when free
  };

  void start(const std::string& uri);  // on the door
  int start_connect();
  void add(MqttEvent event);  // any thread
  void drain();               // on the loop

  const MqttSettings settings_;
  const OnEvent on_event_;
  bool abandoned_ = false;  // loop only
  void* paho_ = nullptr;    // door only

  std::mutex mutex_;  // guards what follows
  boost::asio::any_io_executor executor_;
  std::vector<MqttEvent> events_;
  std::string tls_text_;
  std::deque<Slot> slots_;
  std::vector<Slot*> free_slots_;
};

}  // namespace lightship::link
