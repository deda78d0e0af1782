// The limits of one key, and what is said when they are not kept.
#include "config/field.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "config/fields.h"
#include "config/node.h"

namespace lightship::config {
namespace {

double in_bound_units(const Value& value, Kind kind) {
  const double number = as_double(value);
  return kind == Kind::duration ? number / 1e6 : number;
}

std::string show_bound(double number, Kind kind) {
  if (kind == Kind::duration) return show(std::int64_t{std::llround(number * 1e6)}, kind);
  if (kind == Kind::size) return show(static_cast<std::uint64_t>(number), kind);
  return to_text(Real{number, Real::kShortest});
}

std::string_view noun(Kind kind) {
  switch (kind) {
    case Kind::integer:
      return "a whole number";
    case Kind::duration:
      return "a duration";
    case Kind::size:
      return "a size";
    default:
      return "a number";
  }
}

// "a whole number from 1 to 247", by what was declared or else by what the member's type can hold.
std::string expected_range(const Described& is) {
  std::string low, high;
  if (is.minimum) low = show_bound(*is.minimum, is.type.kind);
  if (is.maximum) high = show_bound(*is.maximum, is.type.kind);
  if (low.empty() && is.type.low) low = show(*is.type.low, is.type.kind);
  if (high.empty() && is.type.high && !is.minimum) high = show(*is.type.high, is.type.kind);
  if (low.empty() && is.type.kind == Kind::duration) low = "0s";
  const std::string unit = is.unit.empty() ? "" : " " + is.unit;
  if (high.empty()) return fmt::format("{} of at least {}{}", noun(is.type.kind), low, unit);
  if (low.empty()) return fmt::format("{} of at most {}{}", noun(is.type.kind), high, unit);
  return fmt::format("{} from {} to {}{}", noun(is.type.kind), low, high, unit);
}

bool in_range(const Described& is, const Value& value) {
  const Kind kind = is.type.kind;
  if (kind != Kind::integer && kind != Kind::number && kind != Kind::duration && kind != Kind::size)
    return true;
  const double number = in_bound_units(value, kind);
  const double low = is.minimum.value_or(kind == Kind::duration ? 0 : -INFINITY);
  return number >= low && number <= is.maximum.value_or(INFINITY);
}

std::string_view element_noun(Kind kind) {
  if (kind == Kind::map) return "entry";
  return kind == Kind::list || kind == Kind::items ? "element" : "byte";
}

std::string counted_elements(std::size_t count, Kind kind) {
  if (kind == Kind::map && count != 1) return fmt::format("{} entries", count);
  return counted(count, element_noun(kind));
}

}  // namespace

Field::~Field() {
  if (owner_ != nullptr) owner_->settle(*this);
}

Field& Field::required() {
  is_.required = true;
  return *this;
}
Field& Field::between(Bound low, Bound high) { return at_least(low).at_most(high); }
Field& Field::at_least(Bound low) {
  is_.minimum = low.number();
  return *this;
}
Field& Field::at_most(Bound high) {
  is_.maximum = high.number();
  return *this;
}
Field& Field::raised_to(ByteSize least, ByteSize& member) {
  raised_ = true;
  if (node_ != nullptr && member < least) member = least;
  return at_least(least);
}
Field& Field::sized(std::size_t least, std::size_t most) {
  least_ = least;
  most_ = most;
  return *this;
}
Field& Field::one_of(std::initializer_list<std::string_view> words) {
  return one_of(std::vector<std::string>(words.begin(), words.end()));
}
Field& Field::one_of(std::vector<std::string> words) {
  is_.type.choices = std::move(words);
  return *this;
}
Field& Field::one_of_numbers(std::initializer_list<double> numbers) {
  is_.type.choices.clear();
  for (const double number : numbers) is_.type.choices.push_back(show_bound(number, is_.type.kind));
  return *this;
}
Field& Field::pattern_id() {
  id_ = true;
  return *this;
}
Field& Field::unique(std::string_view key) {
  unique_ = key;
  return *this;
}
Field& Field::unit(std::string_view unit) {
  is_.unit = unit;
  return *this;
}
Field& Field::example(std::string_view text) {
  is_.example = text;
  return *this;
}
Field& Field::deprecated(std::string_view instead) {
  is_.deprecated = instead;
  return *this;
}
Field& Field::later(std::string_view part) {
  is_.later = part;
  return *this;
}
Field& Field::only_with(bool fits, std::string_view what) {
  fits_ = fits;
  is_.only_with = what;
  return *this;
}
Field& Field::differ_by(std::string_view key, std::vector<Variant> variants) {
  is_.discriminator = key;
  is_.variants = std::move(variants);
  return *this;
}

// One mistake per value: the first that is found.
bool Field::check(const Seen& seen, Mistakes& mistakes) const {
  const auto wrong = [&](std::string found, std::string expected) -> Mistake& {
    const bool hidden = seen.node->secret || is_.type.kind == Kind::secret;
    if (hidden) found = "(secret)";
    auto& mistake = mistakes.error(
        seen.at, fmt::format("{}: found {}, expected {}", shortened(seen.name), found, expected));
    mistake.found = std::move(found);
    mistake.expected = std::move(expected);
    return mistake;
  };
  const std::string& text = seen.node->text;
  const auto& choices = is_.type.choices;
  if (!choices.empty() && is_.type.kind != Kind::choice) {
    const bool number = is_.type.kind != Kind::text && is_.type.kind != Kind::secret;
    const std::string word =
        number ? show_bound(in_bound_units(seen.value, is_.type.kind), is_.type.kind) : text;
    if (std::ranges::find(choices, word) == choices.end()) {
      auto& mistake = wrong(describe_found(*seen.node),
                            describe_expected({.kind = Kind::choice, .choices = choices}));
      if (!number && !seen.node->secret && is_.type.kind != Kind::secret) {
        mistake.suggestion = nearest(text, choices).value_or("");
      }
      return false;
    }
  }
  if (raised_ && seen.fits && !in_range(is_, seen.value)) {
    const auto least = show_bound(*is_.minimum, is_.type.kind);
    auto& mistake = mistakes.warning(
        seen.at, fmt::format("{}: {} is less than the least that can be, {} is used",
                             shortened(seen.name), shortened(text), least));
    mistake.found = shortened(text);
    mistake.expected = expected_range(is_);
    return true;
  }
  if (!seen.fits || !in_range(is_, seen.value))
    return wrong(shortened(text), expected_range(is_)), false;
  if (id_ && !is_id(text)) {
    wrong(describe_found(*seen.node), kIdRule);
    return false;
  }
  return true;
}

void Field::check_size(Mistakes& mistakes, const Position& at) const {
  if (least_ == 0 && most_ == SIZE_MAX) return;
  std::size_t size = node_->text.size();
  if (node_->kind == Node::Kind::list) size = node_->items.size();
  if (node_->kind == Node::Kind::map) size = node_->entries.size();
  const Kind kind =
      node_->kind == Node::Kind::scalar && is_.kind == Kind::list ? Kind::list : is_.kind;
  if (kind == Kind::list && node_->kind == Node::Kind::scalar) size = 1;
  if (size >= least_ && size <= most_) return;

  std::string expected;
  if (least_ == most_) {
    expected = counted_elements(least_, kind);
  } else if (most_ == SIZE_MAX) {
    expected = "at least " + counted_elements(least_, kind);
  } else if (least_ == 0) {
    expected = "at most " + counted_elements(most_, kind);
  } else {
    expected = fmt::format("{} to {}", least_, counted_elements(most_, kind));
  }
  const std::string found = counted_elements(size, kind);
  auto& mistake =
      mistakes.error(at, fmt::format("{}: found {}, expected {}", is_.key, found, expected));
  mistake.found = found;
  mistake.expected = expected;
}

void Field::check_unique(Mistakes& mistakes, const Position& at) const {
  if (unique_.empty() || node_->kind != Node::Kind::list) return;
  std::map<std::string, int> first;
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    const Node& item = *node_->items[i];
    const auto* entry = item.kind == Node::Kind::map ? item.find(unique_) : nullptr;
    if (entry == nullptr || entry->value->kind != Node::Kind::scalar) continue;
    const Node& value = *entry->value;
    const auto [known, is_new] = first.emplace(value.text, value.line);
    if (is_new) continue;
    const std::string found =
        value.secret ? "(secret)" : fmt::format("'{}'", shortened(value.text));
    auto& mistake = mistakes.error(
        {at.file, value.line, value.column, fmt::format("{}[{}].{}", at.path, i, unique_)},
        fmt::format("{}: {} is already used in line {}", unique_, found, known->second));
    mistake.found = found;
    mistake.expected = fmt::format("a {} of its own", unique_);
  }
}

}  // namespace lightship::config
