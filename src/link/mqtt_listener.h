// A subscriber: hears what is published at a broker, and tells it on the loop.
//
// Stands beside MqttClient, which only publishes, and lives as it does: Paho's threads only post to
// the loop, there is no reconnect, and each session is clean. For people who watch (the demo,
// diagnostics).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "link/mqtt_settings.h"

namespace lightship::link {

struct MqttMessage {
  std::string topic;
  std::string payload;
  bool retained = false;  // it was published before we came
};

class MqttListener {
 public:
  using OnMessage = std::function<void(const MqttMessage&)>;

  // Opens nothing yet. Plain TCP only: `use_tls` is an error.
  static Result<std::unique_ptr<MqttListener>> create(asio::any_io_executor executor,
                                                      MqttSettings settings,
                                                      std::vector<std::string> filters,
                                                      OnMessage on_message);

  // Nothing is told any more. Does not block.
  ~MqttListener();
  MqttListener(const MqttListener&) = delete;
  MqttListener& operator=(const MqttListener&) = delete;

  // Connects, subscribes, listens; returns when that has ended, with why. May be called again.
  // Errors: unavailable, refused (the broker said no), timeout (settings.connect_timeout), closed
  // (lost).
  Task<Error> run();

  bool listening() const;

 private:
  class Session;
  static Task<Error> listen(std::shared_ptr<Session> session, MqttSettings settings);

  MqttListener(asio::any_io_executor executor, MqttSettings settings,
               std::vector<std::string> filters, OnMessage on_message);

  asio::any_io_executor executor_;
  MqttSettings settings_;
  std::vector<std::string> filters_;
  OnMessage on_message_;
  std::shared_ptr<Session> session_;
};

}  // namespace lightship::link
