// Small questions about text: likeness for suggestions, UTF-8, trimming, identifiers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lightship {

// The number of edits (insert, delete, replace, swap of neighbours) that turn one word into the
// other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The one of `known` that was probably meant, or nothing when none is near (more than a third of
// the letters differ). Case, and a dash or blank for an underscore, cost no edit.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

// The length in bytes of the well-formed UTF-8 sequence at the start of `text`, 0 when there is
// none.
std::size_t utf8_length(std::string_view text);

// Its start of at most so many bytes that cuts no character of UTF-8 in two.
std::string_view start_of(std::string_view text, std::size_t most);

std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

// The ids of connections and clients: [A-Za-z0-9][A-Za-z0-9_.-]{0,63}.
bool is_id(std::string_view text);

// "1 request", "7 requests".
std::string counted(std::size_t count, std::string_view noun);

}  // namespace lightship
