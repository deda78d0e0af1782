// Reading the declared keys of one map, or noting them down.
#include "config/fields.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/document.h"
#include "config/node.h"

namespace lightship::config {
namespace {

bool is_letter_of_key(char c) {
  return c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

// True when `word` stands in `text` as a word of its own.
bool names_word(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool starts = at == 0 || !is_letter_of_key(text[at - 1]);
    const auto end = at + word.size();
    if (starts && (end == text.size() || !is_letter_of_key(text[end]))) return true;
  }
  return false;
}

std::string numbered(std::string_view name, std::size_t index) {
  return fmt::format("{}[{}]", name, index);
}

}  // namespace

Fields::Fields(const Document& document, Mistakes& mistakes)
    : Fields(document.root(), {document.name(), document.root().line, document.root().column, {}},
             mistakes) {}

Fields::Fields(const Node& map, Position at, Mistakes& mistakes)
    : node_(&map), at_(std::move(at)), mistakes_(&mistakes) {}

Fields::Fields(std::vector<Described>& into) : into_(&into) {}

Type Fields::one_word_of(std::vector<std::string> words) {
  return {.kind = Kind::choice, .low = {}, .high = {}, .choices = std::move(words)};
}

const Node* Fields::find(std::string_view key) const {
  const auto* entry = node_ == nullptr ? nullptr : node_->find(key);
  return entry == nullptr || entry->value->kind == Node::Kind::null ? nullptr : entry->value.get();
}

bool Fields::has(std::string_view key) const { return find(key) != nullptr; }

bool Fields::is_scalar(std::string_view key) const {
  const Node* node = find(key);
  return node != nullptr && node->kind == Node::Kind::scalar;
}

std::optional<std::string> Fields::text(std::string_view key) const {
  if (!is_scalar(key)) return std::nullopt;
  return find(key)->text;
}

std::string Fields::path_of(std::string_view key) const {
  const std::string shown = shortened(key);
  return at_.path.empty() ? shown : at_.path + "." + shown;
}

Position Fields::inside(const Node& node, std::string path) const {
  return {at_.file, node.line, node.column, std::move(path)};
}

Position Fields::position() const { return at_; }

Position Fields::position(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr) return {at_.file, at_.line, at_.column, path_of(key)};
  return inside(*node, path_of(key));
}

Position Fields::position(std::string_view key, std::string_view inner) const {
  const Node* map = find(key);
  const auto* entry = map == nullptr ? nullptr : map->find(inner);
  if (entry == nullptr) return position(key);
  return inside(*entry->value, path_of(key) + '.' + std::string(inner));
}

Fields::Known& Fields::known(std::string_view key) {
  const auto found = std::ranges::find(known_, key, &Known::key);
  return found != known_.end() ? *found : known_.emplace_back(std::string(key));
}

bool Fields::failed(std::string_view key, std::string_view message) const {
  return std::ranges::any_of(known_, [&](const Known& k) {
    return k.failed && (k.key == key || names_word(message, k.key));
  });
}

Field Fields::declare(std::string_view key, std::string_view help, Kind kind) {
  Described described;
  described.key = key;
  described.kind = kind;
  described.type.kind = kind;
  if (describing()) described.help = help;
  known(key);
  return {*this, std::move(described), find(key)};
}

// One scalar: remembered for the limits, put into the member when it is of the right type.
void Fields::read(Field& field, const Node& node, Position at, std::string name, const Put& put) {
  if (node.kind == Node::Kind::broken) {
    field.failed_ = true;
    return;
  }
  const Type& type = field.is_.type;
  if (type.kind == Kind::secret && !node.secret) mistakes_->mask(at, node.text);
  const Reading reading = read_scalar(node, type);
  if (!reading.value) {
    field.failed_ = true;
    if (mistakes_->full()) {
      mistakes_->error(at, {});
      return;
    }
    const std::string found = describe_found(node);
    std::string expected = node.kind == Node::Kind::scalar && !node.secret
                               ? describe_expected(type, node.text)
                               : describe_expected(type);
    if (field.is_.or_single && node.kind != Node::Kind::scalar) expected += " or a list";
    auto& mistake = mistakes_->error(
        at, fmt::format("{}: found {}, expected {}", shortened(name), found, expected));
    mistake.found = found;
    mistake.expected = std::move(expected);
    if (type.kind == Kind::choice && !node.secret) {
      mistake.suggestion = nearest(node.text, type.choices).value_or("");
    }
    return;
  }
  if (reading.was_quoted) {
    const std::string found = describe_found(node);
    auto& mistake = mistakes_->warning(
        at, fmt::format("{}: found {}, taken for {}", shortened(name), found,
                        node.secret ? "its value" : show(*reading.value, type.kind)));
    mistake.found = found;
    mistake.expected = describe_expected(type);
  }
  const bool fits = put(*reading.value);
  field.seen_.push_back({&node, std::move(at), std::move(name), *reading.value, fits});
}

Field Fields::scalar(std::string_view key, std::string_view help, Type type, Value fallback,
                     const Put& put) {
  Field field = declare(key, help, type.kind);
  field.is_.type = std::move(type);
  field.is_.default_value = std::move(fallback);
  if (field.is_.type.kind == Kind::secret) {
    known(key).secret = true;
    if (node_ != nullptr) {
      // A second one of the same name is as secret as the first.
      for (const auto& entry : node_->duplicates) {
        if (entry.key != key || entry.value->secret) continue;
        mistakes_->mask(inside(*entry.value, {}), entry.value->text);
      }
    }
  }
  if (known(key).failed) {
    field.owner_ = nullptr;  // declared twice, and the first one has said what is wrong
  } else if (field.node_ != nullptr) {
    read(field, *field.node_, position(key), std::string(key), put);
  }
  return field;
}

Field Fields::scalars(std::string_view key, std::string_view help, Type type,
                      std::vector<Value> fallback, bool or_single, const Put& put) {
  Field field = declare(key, help, Kind::list);
  field.is_.type = std::move(type);
  field.is_.or_single = or_single;
  field.is_.default_list = std::move(fallback);
  if (field.is_.type.kind == Kind::secret) known(key).secret = true;
  const Node* node = field.node_;
  if (node == nullptr) return field;

  if (node->kind == Node::Kind::list) {
    put({});
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const Node& item = *node->items[i];
      read(field, item, inside(item, numbered(path_of(key), i)), numbered(key, i), put);
    }
  } else if (or_single) {
    put({});
    read(field, *node, position(key), std::string(key), put);
  } else {
    wrong_kind(field, "a list");
  }
  return field;
}

void Fields::wrong_kind(Field& field, std::string expected) {
  field.failed_ = true;
  const Node& node = *field.node_;
  if (node.kind == Node::Kind::broken) return;
  const std::string& key = field.is_.key;
  const std::string found = known(key).secret ? "(secret)" : describe_found(node);
  if (known(key).secret) mistakes_->mask(position(key), node.text);
  auto& mistake = mistakes_->error(
      position(key), fmt::format("{}: found {}, expected {}", shortened(key), found, expected));
  mistake.found = found;
  mistake.expected = std::move(expected);
}

Field Fields::section_with(std::string_view key, std::string_view help, const Describe& describe) {
  Field field = declare(key, help, Kind::section);
  if (describing()) {
    Fields inner(field.is_.keys);
    describe(inner);
  } else if (field.node_ != nullptr && field.node_->kind == Node::Kind::map) {
    Fields inner(*field.node_, position(key), *mistakes_);
    describe(inner);
    inner.finish();
  } else if (field.node_ != nullptr) {
    wrong_kind(field, "a map");
  }
  return field;
}

Field Fields::items_with(std::string_view key, std::string_view help, const Describe& describe) {
  Field field = declare(key, help, Kind::items);
  if (describing()) {
    Fields inner(field.is_.keys);
    describe(inner);
    return field;
  }
  const Node* node = field.node_;
  if (node == nullptr) return field;
  if (node->kind != Node::Kind::list) {
    wrong_kind(field, "a list");
    return field;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = *node->items[i];
    Position at = inside(item, numbered(path_of(key), i));
    if (item.kind == Node::Kind::map) {
      Fields inner(item, std::move(at), *mistakes_);
      describe(inner);
      inner.finish();
    } else if (item.kind != Node::Kind::broken) {
      const std::string found = describe_found(item);
      auto& mistake = mistakes_->error(
          at, fmt::format("{}: found {}, expected a map", numbered(key, i), found));
      mistake.found = found;
      mistake.expected = "a map";
    }
  }
  return field;
}

Field Fields::map_with(std::string_view key, std::string_view help, const Type& key_type,
                       const DescribeEntry& describe) {
  Field field = declare(key, help, Kind::map);
  if (describing()) {
    Fields inner(field.is_.keys);
    describe(inner, "<name>", {});
    return field;
  }
  const Node* node = field.node_;
  if (node == nullptr) return field;
  if (node->kind != Node::Kind::map) {
    wrong_kind(field, "a map");
    return field;
  }
  for (const auto& entry : node->entries) {
    if (entry.value->kind == Node::Kind::null) continue;
    Node name;
    name.kind = Node::Kind::scalar;
    name.text = entry.key;
    Position at{at_.file, entry.line, entry.column, path_of(key) + "." + shortened(entry.key)};
    const Reading id = read_scalar(name, key_type);
    if (!id.value) {
      auto& mistake =
          mistakes_->error(at, fmt::format("{}: found key {}, expected {}", shortened(key),
                                           describe_found(name), describe_expected(key_type)));
      mistake.found = describe_found(name);
      mistake.expected = describe_expected(key_type);
      continue;
    }
    Fields inner(*node, position(key), *mistakes_);
    describe(inner, entry.key, *id.value);
    field.keys_.push_back({std::move(at), entry.key});
  }
  return field;  // any key is allowed: no `inner` is finished
}

Field Fields::anything(std::string_view key, std::string_view help) {
  return declare(key, help, Kind::section);
}

void Fields::settle(Field& field) {
  Described& is = field.is_;
  if (describing()) {
    if (std::ranges::find(*into_, is.key, &Described::key) == into_->end())
      into_->push_back(std::move(is));
    return;
  }
  if (field.node_ == nullptr) {
    if (!is.required) return;
    known(is.key).failed = true;
    Position at = at_;
    at.path = path_of(is.key);
    auto& mistake = mistakes_->error(at, fmt::format("'{}' is missing", is.key));
    mistake.found = "nothing";
    mistake.expected = describe_expected(is.kind == is.type.kind ? is.type : Type{.kind = is.kind});
    return;
  }
  Position at = position(is.key);
  if (!field.fits_) {
    if (failed({}, is.only_with)) return;
    const auto* entry = node_->find(is.key);
    at.line = entry->line;
    at.column = entry->column;
    mistakes_->error(at, fmt::format("'{}' belongs to {}", is.key, is.only_with));
    return;
  }
  for (const auto& seen : field.seen_) {
    if (!field.check(seen, *mistakes_)) field.failed_ = true;
  }
  for (const auto& [where, name] : field.keys_) {
    if (!field.id_ || is_id(name)) continue;
    auto& mistake = mistakes_->error(where, fmt::format("{}: found key '{}', expected {}", is.key,
                                                        shortened(name), Field::kIdRule));
    mistake.found = shortened(name);
    mistake.expected = Field::kIdRule;
  }
  if (!field.failed_) {
    field.check_size(*mistakes_, at);
    field.check_unique(*mistakes_, at);
  }
  known(is.key).failed |= field.failed_;
  if (!is.deprecated.empty()) {
    mistakes_->warning(at, fmt::format("'{}' is out of use: {}", is.key, is.deprecated));
  }
  if (!is.later.empty()) {
    mistakes_->note(at, fmt::format("'{}' has no effect in this version: {} is not built yet",
                                    is.key, is.later));
  }
}

void Fields::report(Severity severity, std::string_view key, std::string_view message) {
  if (describing()) return;
  mistakes_->add(severity, position(key), fmt::format("{}: {}", key, message));
}

void Fields::check(bool ok, std::string_view key, std::string_view message) {
  if (!ok && !describing() && !failed(key, message)) report(Severity::error, key, message);
}

void Fields::error(std::string_view key, std::string_view message) {
  report(Severity::error, key, message);
}
void Fields::warning(std::string_view key, std::string_view message) {
  report(Severity::warning, key, message);
}
void Fields::note(std::string_view key, std::string_view message) {
  report(Severity::note, key, message);
}

void Fields::finish() {
  if (describing() || open_ended_) return;
  for (const auto& entry : node_->entries) {
    if (std::ranges::find(known_, entry.key, &Known::key) != known_.end()) continue;
    unknown_key(entry.key, {at_.file, entry.line, entry.column, path_of(entry.key)});
  }
}

void Fields::unknown_key(const std::string& key, Position at) {
  if (mistakes_->full()) {
    mistakes_->error(at, {});
    return;
  }
  std::vector<std::string> allowed;
  for (const Known& k : known_) allowed.push_back(k.key);
  if (const auto place = std::ranges::find(elsewhere_, key, &Elsewhere::key);
      place != elsewhere_.end()) {
    auto& mistake =
        mistakes_->error(at, fmt::format("'{}' does not belong here, but {}", key, place->where));
    mistake.found = key;
    mistake.expected = join(allowed, ", ");
    mistake.suggestion = place->where.substr(place->where.rfind(' ') + 1);
    return;
  }
  const auto meant = nearest(key, allowed);
  if (meant && known(*meant).secret) {
    if (const Node* node = find(key)) mistakes_->mask(inside(*node, {}), node->text);
  }
  std::string message = fmt::format("unknown key '{}'", shortened(key));
  if (!meant && !allowed.empty()) message += ", allowed here: " + join(allowed, ", ");
  auto& mistake = mistakes_->error(at, std::move(message));
  mistake.found = shortened(key);
  mistake.expected = join(allowed, ", ");
  mistake.suggestion = meant.value_or("");
}

}  // namespace lightship::config
