// A YAML value with its place: what the parser's events are built into, aliases shared.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lightship::config {

struct Node {
  enum class Kind { null, scalar, list, map, broken };  // broken: already reported, say no more
  struct Entry {
    std::string key;
    int line = 1, column = 1;
    std::shared_ptr<const Node> value;
    bool duplicate = false;  // reported; only the first of its name counts
  };

  Kind kind = Kind::null;
  int line = 1, column = 1;
  std::string text;     // of a scalar
  bool quoted = false;  // between quotes, or a block
  bool secret = false;  // from !secret or !env: never shown
  std::vector<std::shared_ptr<const Node>> items;
  std::vector<Entry> entries;

  std::size_t weight = 1;  // nodes in it when aliases are followed
  std::size_t height = 1;  // levels of lists and maps in it

  const Entry* find(std::string_view key) const {
    for (const auto& entry : entries) {
      if (!entry.duplicate && entry.key == key) return &entry;
    }
    return nullptr;
  }
};

}  // namespace lightship::config
