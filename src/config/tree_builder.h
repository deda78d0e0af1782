// Builds our tree from yaml-cpp's events, within the bounds of a Document.
//
// The events carry what yaml-cpp's own tree loses (duplicate keys, a node that contains itself) and
// allow to stop in time: an alias costs its whole weight, so that a bomb is refused before it is
// walked.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include "config/document.h"
#include "config/node.h"

namespace lightship::config {

// Thrown through the parser when going on would be unsafe.
struct TooMuch {
  YAML::Mark mark;
  std::string message;
};

// yaml-cpp counts columns in bytes from 0; people count characters from 1. Steps from the last
// answer, since the events of one long line come nearly in order.
class Columns {
 public:
  explicit Columns(std::string_view text);
  std::pair<int, int> place(const YAML::Mark& mark);  // line and column from 1

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;  // of each line
  std::size_t line_ = 0, byte_ = 0;
  int column_ = 1;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string name, Columns& columns, const Vault& vault, Mistakes& mistakes,
              Document::Lines lines)
      : name_(std::move(name)),
        columns_(columns),
        vault_(vault),
        mistakes_(mistakes),
        lines_(lines) {}

  std::shared_ptr<const Node> root() const { return root_; }
  // Where the innermost list or map that is still open began.
  std::optional<YAML::Mark> opened(Node::Kind kind) const;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override;
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    std::shared_ptr<Node> node;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    std::optional<Node::Entry> key;  // seen, its value not yet
    bool bad_key = false;
    std::vector<std::shared_ptr<const Node>> merged;  // values of `<<`
  };

  std::shared_ptr<Node> node_at(const YAML::Mark& mark, Node::Kind kind);
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind);
  void close();
  void place(const YAML::Mark& mark, std::shared_ptr<const Node> node);
  void take_key(const YAML::Mark& mark, const Node& node);
  void take_value(Open& map, const YAML::Mark& mark, std::shared_ptr<const Node> node);
  void merge(Open& map);
  void grow(Node& into, const Node& part, const YAML::Mark& mark);
  void resolve(Node& node, const std::string& tag);
  void look_up(Node& node, bool environment);
  Position at(int line, int column) const { return {name_, line, column, {}}; }

  std::string name_;
  Columns& columns_;
  const Vault& vault_;
  Mistakes& mistakes_;
  Document::Lines lines_;
  std::shared_ptr<const Node> root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::shared_ptr<const Node>> anchors_;
};

}  // namespace lightship::config
