// Numbers to words.
#include "link/mqtt_reasons.h"

#include <MQTTAsync.h>

#include "base/text.h"

namespace lightship::link {

std::string reason_words(int code) {
  const char* words = MQTTReasonCode_toString(static_cast<MQTTReasonCodes>(code));
  return words ? to_lower(words) : fmt::format("reason {}", code);
}

std::string connack_words(int code, MqttSettings::Version version) {
  if (version == MqttSettings::Version::v5) return reason_words(code);
  switch (code) {
    case 1:
      return "unacceptable protocol version";
    case 2:
      return "client id rejected";
    case 3:
      return "server unavailable";
    case 4:
      return "bad user name or password";
    case 5:
      return "not authorized";
    default:
      return fmt::format("return code {}", code);
  }
}

Error publish_error(int code) {
  if (code > 0)
    return {Errc::refused, fmt::format("refused by the broker: {} ({})", reason_words(code), code),
            code};
  switch (code) {
    case MQTTASYNC_BAD_UTF8_STRING:
      return {Errc::invalid, "the topic is not UTF-8", code};
    case MQTTASYNC_BAD_QOS:
      return {Errc::invalid, "QoS must be 0, 1 or 2", code};
    case MQTTASYNC_MAX_BUFFERED_MESSAGES:
    case MQTTASYNC_NO_MORE_MSGIDS:
      return {Errc::unavailable, "too many messages under way", code};
    default:
      return {Errc::closed, "the connection was lost before the broker acknowledged", code};
  }
}

}  // namespace lightship::link
