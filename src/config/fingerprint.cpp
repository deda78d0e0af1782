// A canonical walk over a subtree, hashed.
#include <algorithm>

#include <fmt/format.h>

#include "config/fields.h"
#include "config/node.h"

namespace lightship::config {
namespace {

// FNV-1a, 64 bit: not against forgers, only to see a change.
class Hash {
 public:
  void add(std::string_view text) {
    number(text.size());
    for (const char c : text) byte(static_cast<unsigned char>(c));
  }
  void number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) byte(static_cast<unsigned char>(value >> (8 * i)));
  }
  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  void byte(unsigned char value) { state_ = (state_ ^ value) * 0x100000001b3; }
  std::uint64_t state_ = 0xcbf29ce484222325;
};

void walk(const Node& node, Hash& hash) {
  hash.number(static_cast<std::uint64_t>(node.kind));
  if (node.kind == Node::Kind::scalar) hash.add(node.text);
  hash.number(node.items.size());
  for (const auto& item : node.items) walk(*item, hash);

  std::vector<const Node::Entry*> entries;
  for (const auto& entry : node.entries) {
    if (entry.value->kind != Node::Kind::null) entries.push_back(&entry);
  }
  std::ranges::sort(entries, {}, &Node::Entry::key);
  hash.number(entries.size());
  for (const auto* entry : entries) {
    hash.add(entry->key);
    walk(*entry->value, hash);
  }
}

}  // namespace

std::string fingerprint(const Fields& fields) {
  Hash hash;
  if (fields.node_ != nullptr) walk(*fields.node_, hash);
  return hash.text();
}

std::string fingerprint(const Fields& fields, std::string_view key) {
  Hash hash;
  if (const Node* node = fields.find(key)) walk(*node, hash);
  return hash.text();
}

}  // namespace lightship::config
