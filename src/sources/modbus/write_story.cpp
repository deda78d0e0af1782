// The words of the audit.
#include "sources/modbus/write_story.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace lightship::poller {
namespace {

std::string_view space_name(Space space) { return space == Space::coils ? "coils" : "holding"; }

// What was refused is not told to the last register: clients that are refused all day must not fill
// the audit.
constexpr std::size_t kMostWords = 32, kMostText = 300;

void tell_words(JsonWriter& json, std::string_view key, Space space, const Words& words,
                std::size_t most = SIZE_MAX) {
  if (words.empty()) return;
  json.key(key).begin_array();
  for (const auto word : std::span(words).first(std::min(words.size(), most))) {
    if (space == Space::coils)
      json.value(static_cast<int>(word));
    else
      json.value(fmt::format("{:04X}", word));
  }
  json.end_array();
}

Value short_value(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? value : Value(shortened(*text));
}

void tell_head(JsonWriter& json, const WriteStory& story) {
  json.member("id", story.id).member("by", shortened(story.by)).member("device", story.device);
  if (!story.point.empty()) json.member("point", story.point);
  if (story.count == 0) return;
  json.member("space", space_name(story.space)).member("at", story.first);
  json.member("count", story.count);
}

}  // namespace

std::string shortened(std::string_view text) {
  if (text.size() <= kMostText) return std::string(text);
  auto end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void WriteStory::tell_asked(JsonWriter& json) const {
  json.member("state", "asked");
  tell_head(json, *this);
  if (has_value(asked)) json.key("new").value(asked);
  if (expected) json.key("expected").value(*expected);
  tell_words(json, "new_raw", space, asked_words);
}

void WriteStory::tell_end(JsonWriter& json, const Error* trouble) const {
  json.member("state", "ended").member("outcome", outcome_of(*this, trouble));
  tell_head(json, *this);
  if (function != 0) json.member("function", function);
  const auto told = [&](const Value& value) { return begun ? value : short_value(value); };
  const auto most = begun ? SIZE_MAX : kMostWords;
  if (has_value(asked)) json.key("new").value(told(asked));
  if (expected) json.key("expected").value(told(*expected));
  if (has_value(before)) json.key("old").value(told(before));
  if (has_value(now)) json.key("read_back").value(now);
  tell_words(json, "new_raw", space, asked_words, most);
  tell_words(json, "old_raw", space, before_words, most);
  tell_words(json, "read_back_raw", space, now_words);
  if (trouble != nullptr) {
    json.member("error", begun ? trouble->text : shortened(trouble->text));
    if (trouble->code == Errc::refused) json.member("exception", trouble->detail);
  }
  if (!note.empty()) json.member("note", note);
  if (untold > 0) json.member("refused_untold_before", untold);
  json.key("duration_ms").value(Real{std::chrono::duration<double, std::milli>(took).count(), 3});
}

std::string WriteStory::target() const {
  if (!point.empty()) return device + "/" + point;
  if (count == 0) return device;
  return fmt::format("{} {} {}-{}", device, space_name(space), first, first + count - 1);
}

std::string_view outcome_of(const WriteStory& story, const Error* trouble) {
  if (trouble == nullptr) return "written";
  if (!story.begun) return "refused";
  switch (trouble->code) {
    case Errc::refused:
      return "exception";
    case Errc::malformed:
      return "mismatch";
    case Errc::timeout:
      return "timeout";
    case Errc::invalid:
      return "refused";
    default:
      return "failed";
  }
}

}  // namespace lightship::poller
