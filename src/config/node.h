// A YAML value with its place: what the parser's events are built into, aliases shared.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lightship::config {

struct Node {
  enum class Kind { null, scalar, list, map, broken };  // broken: already reported, say no more
  struct Entry {
    std::string key;
    int line = 1, column = 1;
    std::shared_ptr<const Node> value;
  };

  Kind kind = Kind::null;
  int line = 1, column = 1;
  std::string text;     // of a scalar
  bool quoted = false;  // between quotes, or a block
  bool secret = false;  // from !secret or !env: never shown
  std::vector<std::shared_ptr<const Node>> items;
  std::vector<Entry> entries;
  std::vector<Entry>
      duplicates;  // of keys in entries: reported, and only the first of a name counts
  std::map<std::string, std::size_t, std::less<>> index;  // of the entries by their keys

  std::size_t weight = 1;  // nodes in it when aliases are followed
  std::size_t height = 1;  // levels of lists and maps in it

  const Entry* find(std::string_view key) const {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : &entries[found->second];
  }
  bool add(Entry entry) {  // false when the key is there already
    const bool fresh = index.emplace(entry.key, entries.size()).second;
    if (fresh) entries.push_back(std::move(entry));
    return fresh;
  }
};

}  // namespace lightship::config
