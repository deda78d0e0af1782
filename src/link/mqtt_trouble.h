// Why a broker could not be reached, in words that help.
//
// Paho says "TCP/TLS connect failure" for everything. After such a failure we go the same way once
// ourselves: connect, shake hands, look at the certificate.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "link/mqtt_settings.h"

namespace lightship::link {

// What the text of such an error begins with, where it was not the connection itself.
inline constexpr std::string_view kTlsTrouble = "TLS: ";
inline constexpr std::string_view kNoWebSocket = "no MQTT over WebSocket";
inline constexpr std::string_view kHungUp = "the broker hung up";

// `said` is what Paho and OpenSSL said; it is the answer when nothing better is found until
// `until`.
Task<Error> explain_failure(MqttSettings settings, std::string said, MonoTime until);

}  // namespace lightship::link
