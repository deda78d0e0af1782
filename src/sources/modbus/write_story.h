// One write as it is told: to the audit before and after, to the log, and in words.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "base/value.h"
#include "core/register_image.h"

namespace lightship::poller {

using Words = std::vector<std::uint16_t>;  // registers, or coils of 0 and 1

struct WriteStory {
  std::string id;      // in the audit
  std::string by;      // who asked
  std::string device;  // CONNECTION/CLIENT
  std::string point;   // empty for a write in registers
  Space space = Space::holding;
  std::uint16_t first = 0;
  std::size_t count = 0;
  int function = 0;  // the newest that was sent; 0: none
  Value asked, before, now;
  std::optional<Value> expected;
  Words asked_words, before_words, now_words;
  bool begun = false;        // it is in the audit as asked, and may have been sent
  std::string note;          // what was unusual
  std::uint64_t untold = 0;  // refusals before this one that are not in the audit
  Duration took{};

  void tell_asked(JsonWriter& json) const;
  void tell_end(JsonWriter& json, const Error* trouble) const;
  std::string target() const;  // "panel/press/setpoint", "panel/press holding 20-21"
};

// As much of a text of others as a line of the audit has room for.
std::string shortened(std::string_view text);

// "written", "refused" (nothing was sent), "exception", "mismatch", "timeout", "failed".
std::string_view outcome_of(const WriteStory& story, const Error* trouble);

}  // namespace lightship::poller
