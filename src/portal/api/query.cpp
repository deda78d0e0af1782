// Checks parameters.
#include "portal/api/query.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "portal/api/said.h"

namespace lightship::portal {

void Query::wrong(std::string_view name, std::string message) {
  if (!problem_) problem_ = wrong_field(name, message);
}

std::optional<std::int64_t> Query::number(std::string_view name, std::int64_t least,
                                          std::int64_t most) {
  const auto given = request_.parameter(name);
  if (!given || given->empty()) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(given->data(), given->data() + given->size(), number);
  if (failed == std::errc{} && end == given->data() + given->size() && number >= least &&
      number <= most)
    return number;
  wrong(name,
        fmt::format("'{}' is not a whole number from {} to {}", start_of(*given, 40), least, most));
  return std::nullopt;
}

std::string Query::text(std::string_view name, std::size_t most) {
  auto given = request_.parameter(name).value_or(std::string());
  if (given.size() <= most) return given;
  wrong(name, fmt::format("{} bytes are too many: at most {}", given.size(), most));
  return {};
}

std::string Query::word(std::string_view name, std::initializer_list<std::string_view> words) {
  const auto given = request_.parameter(name).value_or(std::string());
  if (given.empty()) return std::string(*words.begin());
  if (std::ranges::find(words, given) != words.end()) return given;
  std::vector<std::string> known(words.begin(), words.end());
  wrong(name, fmt::format("'{}' is none of {}", start_of(given, 40), join(known, ", ")));
  return std::string(*words.begin());
}

}  // namespace lightship::portal
