// Closes the body.
#include "store/outbox_message.h"

#include <fmt/format.h>

namespace lightship {

std::string finish_message(const OutboxMessage& message, bool historical) {
  std::string text;
  text.reserve(message.open_json.size() + 48);
  text += message.open_json;
  if (message.sequence != 0) {
    fmt::format_to(std::back_inserter(text), ",\"sequence\":{}", message.sequence);
  }
  text += historical ? ",\"historical\":true}" : "}";
  return text;
}

}  // namespace lightship
