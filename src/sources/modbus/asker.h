// Questions to one device over an open conversation, for who walks its models or asks who it is.
#pragma once

#include "sources/modbus/conversation.h"
#include "sources/modbus/identify.h"

namespace lightship::poller {

// How the device is asked.
struct Terms {
  std::uint8_t unit = 1;
  Duration patience = std::chrono::seconds(1);
  Duration pause{};
  int answers_as = -1;
  unsigned tries = 1;  // after silence and damaged answers; an exception is an answer
};

// `conversation` outlives the asking.
Asker asker_over(Conversation& conversation, Terms terms);

}  // namespace lightship::poller
