// Closes the body.
#include "store/outbox_message.h"

#include <string_view>

#include <fmt/format.h>

namespace lightship {

std::string finish_message(const OutboxMessage& message, bool historical) {
  std::string text;
  text.reserve(message.open_json.size() + 48);
  text += message.open_json;
  if (message.sequence != 0) {
    // Beside the timestamp, where people look for it. A quote within a text is escaped, so this can
    // only be the member itself.
    constexpr std::string_view kTimestamp = ",\"timestamp\":\"";
    const auto found = text.find(kTimestamp);
    const auto end = found == std::string::npos ? found : text.find('"', found + kTimestamp.size());
    text.insert(end == std::string::npos ? text.size() : end + 1,
                fmt::format(",\"sequence\":{}", message.sequence));
  }
  text += historical ? ",\"historical\":true}" : "}";
  return text;
}

}  // namespace lightship
