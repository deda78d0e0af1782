// An MQTT client as Tasks: Eclipse Paho (async) behind one thin door.
//
// Everything here runs on the loop; Paho's own threads only post to it. The client sends what it is
// given, in that order, and keeps nothing: after a loss every open publish ends with Errc::closed
// and the owner's queue sends it again. There is no reconnect and no persistence, and each session
// is clean. `connect` may be called again after a loss, a refusal or a `disconnect`.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "link/mqtt_settings.h"

namespace lightship::link {

class MqttClient {
 public:
  using Handler = std::move_only_function<void(Result<void>)>;

  // Opens nothing yet. Errors: invalid or unavailable, see `check`.
  static Result<std::unique_ptr<MqttClient>> create(asio::any_io_executor executor,
                                                    MqttSettings settings);

  // Open publishes are dropped without their handlers being called. Does not block.
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  // Errors: unavailable (name, connection, TLS; the text says which), timeout
  // (settings.connect_timeout, for all of it), refused (by the broker: detail is its return code,
  // or its reason code with MQTT 5).
  Task<Result<void>> connect();

  // QoS 0: handed to the socket. QoS 1: the broker has acknowledged it. Errors: closed (the
  // connection was lost first, or there is none), refused (MQTT 5: detail is the reason code),
  // invalid.
  Task<Result<void>> publish(std::string topic, std::string payload, int qos, bool retain);

  // The same, with many under way: they leave in the order of the calls. The handler runs on the
  // loop, never inside this call. Topic and payload are copied.
  void publish_async(std::string_view topic, std::string_view payload, int qos, bool retain,
                     Handler done);

  // Returns when the connection is lost, with why; at once when it has been since `connect`. A
  // `disconnect` of ours is no loss.
  Task<Error> lost();

  // Gives open publishes up to `grace`, then says goodbye: the broker does not send the will. Waits
  // at most a second for the goodbye itself.
  Task<void> disconnect(std::chrono::milliseconds grace);

  // How far `connect` got: what it was doing when it failed, or does now.
  enum class Stage { resolve, connect, tls, log_in };
  Stage stage() const;

  bool connected() const;
  std::size_t open_publishes() const;
  const std::string& name() const;  // describe(settings)

 private:
  struct State;
  explicit MqttClient(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace lightship::link
