// What brokers and Paho mean by their numbers. MQTT 3.1.1, 3.2.2.3; MQTT 5, 2.4.
#pragma once

#include <string>

#include "base/result.h"
#include "link/mqtt_settings.h"

namespace lightship::link {

// The code of a CONNACK that refuses: "bad user name or password".
std::string connack_words(int code, MqttSettings::Version version);

// A reason code of MQTT 5: "not authorized".
std::string reason_words(int code);

// Why a publish failed: a positive code is the broker's reason, a negative one Paho's.
Error publish_error(int code);

}  // namespace lightship::link
