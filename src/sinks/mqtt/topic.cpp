// Topics with placeholders.
#include "sinks/mqtt/topic.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace lightship::mqtt {

std::optional<std::string> check_placeholders(std::string_view text,
                                              std::span<const std::string_view> placeholders) {
  for (std::size_t open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    const auto close = text.find('}', open);
    if (close == std::string_view::npos) return fmt::format("'{{' at {} is not closed", open + 1);
    const auto name = text.substr(open + 1, close - open - 1);
    if (std::ranges::find(placeholders, name) == placeholders.end()) {
      const std::vector<std::string> known(placeholders.begin(), placeholders.end());
      const auto meant = nearest(name, known);
      return fmt::format("{{{}}} is not a placeholder here; known are {{{}}}{}", name,
                         fmt::join(placeholders, "} {"),
                         meant ? fmt::format("; did you mean {{{}}}?", *meant) : "");
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_topic(std::string_view topic,
                                       std::span<const std::string_view> placeholders) {
  if (topic.empty()) return "a topic may not be empty";
  if (topic.size() > 1024) return "a topic may have 1024 characters at most";
  if (const auto at = topic.find_first_of("#+"); at != std::string_view::npos) {
    return fmt::format("'{}' is a wildcard of subscriptions; a topic to publish to cannot have one",
                       topic[at]);
  }
  if (std::ranges::any_of(topic, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    return "a topic may not hold control characters";
  }
  return check_placeholders(topic, placeholders);
}

std::string topic_level(std::string_view name) {
  std::string level(name);
  std::ranges::replace_if(
      level, [](unsigned char c) { return c == '#' || c == '+' || c < 0x20 || c == 0x7F; }, '_');
  return level;
}

std::string fill(std::string_view pattern,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  std::string out;
  while (!pattern.empty()) {
    const auto open = pattern.find('{');
    out += pattern.substr(0, open);
    if (open == std::string_view::npos) break;
    pattern.remove_prefix(open);
    const auto close = pattern.find('}');
    const auto name =
        close == std::string_view::npos ? std::string_view{} : pattern.substr(1, close - 1);
    const auto known =
        std::ranges::find(values, name, &std::pair<std::string_view, std::string_view>::first);
    if (close == std::string_view::npos || known == values.end()) {
      out += '{';
      pattern.remove_prefix(1);
      continue;
    }
    out += known->second;
    pattern.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace lightship::mqtt
