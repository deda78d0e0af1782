// One YAML file as a tree of nodes with places, safe to walk whatever the file says.
//
// Bounded: 1 MB, 64 levels, 100,000 values when aliases are followed. Must be UTF-8 without control
// characters. Duplicate keys are mistakes; of syntax errors only the first is known. Merge keys
// (`<<: *base`) work as in YAML 1.1. `!secret NAME` and `!env NAME` are looked up in the Vault.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/mistake.h"

namespace lightship::config {

struct Node;
class Vault;

class Document {
 public:
  static constexpr std::size_t kMaxBytes = 1'000'000;
  static constexpr std::size_t kMaxLevels = 64;
  static constexpr std::size_t kMaxNodes = 100'000;

  // `hidden` is for files of secrets: no line of it, and no word of the parser's, is ever shown.
  enum class Lines { shown, hidden };

  Document(std::string name, std::string_view text, const Vault& vault, Mistakes& mistakes,
           Lines lines = Lines::shown);

  const std::string& name() const { return name_; }
  const Node& root() const { return *root_; }  // always a map; empty when the file is
  bool broken() const { return broken_; }      // not readable as a whole, and reported

 private:
  std::string name_;
  std::shared_ptr<const Node> root_;
  bool broken_ = false;
};

// The whole file, or nothing and a mistake (not a regular file, not readable, larger than 1 MB).
std::optional<std::string> read_text(const std::filesystem::path& file, const std::string& name,
                                     Mistakes& mistakes);

}  // namespace lightship::config
