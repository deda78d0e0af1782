// The allowance of messages, and the end.
#include "portal/live/client.h"

#include <algorithm>

namespace lightship::portal {

bool LiveClient::may_send(MonoTime now) {
  const double passed = std::chrono::duration<double>(now - counted).count();
  counted = now;
  allowance = std::min(kMostMessagesAtOnce, allowance + passed * kMessagesPerSecond);
  if (allowance < 1) return false;
  allowance -= 1;
  return true;
}

void LiveClient::end(std::uint16_t code, std::string_view reason, MonoTime now) {
  if (end_code != 0) return;
  end_code = code;
  end_reason = reason;
  end_since = now;
  wake();
}

void LiveClient::answer(Text frame, MonoTime now) {
  if (answers.size() >= kMostAnswers) return end(1008, "answers are not read", now);
  answers.push_back(std::move(frame));
  wake();
}

}  // namespace lightship::portal
