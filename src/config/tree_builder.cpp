// From events to a tree.
#include "config/tree_builder.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/scalar.h"
#include "config/vault.h"

namespace lightship::config {

Columns::Columns(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
}

std::pair<int, int> Columns::place(const YAML::Mark& mark) {
  if (mark.line < 0 || mark.column < 0) return {1, 1};
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text_[at]) & 0xC0) == 0x80;
  };
  const std::size_t line =
      std::min<std::size_t>(static_cast<std::size_t>(mark.line), starts_.size() - 1);
  const std::size_t start = starts_[line];
  const std::size_t end = line + 1 < starts_.size() ? starts_[line + 1] - 1 : text_.size();
  const std::size_t byte =
      std::min<std::size_t>(static_cast<std::size_t>(mark.column), end - start);
  if (line != line_) {
    line_ = line;
    byte_ = 0;
    column_ = 1;
  }
  for (; byte_ < byte; ++byte_) column_ += continues(start + byte_) ? 0 : 1;
  for (; byte_ > byte; --byte_) column_ -= continues(start + byte_ - 1) ? 0 : 1;
  return {static_cast<int>(line) + 1, column_};
}

std::shared_ptr<Node> TreeBuilder::node_at(const YAML::Mark& mark, Node::Kind kind) {
  auto node = std::make_shared<Node>();
  node->kind = kind;
  std::tie(node->line, node->column) = columns_.place(mark);
  return node;
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  auto node = node_at(mark, Node::Kind::null);
  if (anchor != 0) anchors_[anchor] = node;
  place(mark, std::move(node));
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto known = anchors_.find(anchor);
  if (known != anchors_.end()) return place(mark, known->second);
  const auto broken = node_at(mark, Node::Kind::broken);
  mistakes_.error(at(broken->line, broken->column), "this alias stands inside what it repeats");
  place(mark, broken);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& text) {
  auto node = node_at(mark, Node::Kind::scalar);
  node->text = text;
  node->quoted = tag == "!";
  resolve(*node, tag);
  if (anchor != 0) anchors_[anchor] = node;
  place(mark, std::move(node));
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  open(mark, tag, anchor, Node::Kind::list);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  open(mark, tag, anchor, Node::Kind::map);
}

std::optional<YAML::Mark> TreeBuilder::opened(Node::Kind kind) const {
  for (auto open = open_.rbegin(); open != open_.rend(); ++open) {
    if (open->node->kind == kind) return open->mark;
  }
  return std::nullopt;
}

void TreeBuilder::open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       Node::Kind kind) {
  if (open_.size() >= Document::kMaxLevels) {
    throw TooMuch{mark, fmt::format("nested deeper than {} levels", Document::kMaxLevels)};
  }
  auto node = node_at(mark, kind);
  if (!tag.empty()) resolve(*node, tag);
  open_.push_back({.node = std::move(node), .mark = mark, .anchor = anchor});
}

void TreeBuilder::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  merge(done);
  if (done.anchor != 0) anchors_[done.anchor] = done.node;
  place(done.mark, done.node);
}

void TreeBuilder::place(const YAML::Mark& mark, std::shared_ptr<const Node> node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Open& top = open_.back();
  if (top.node->kind == Node::Kind::list) {
    grow(*top.node, *node, mark);
    top.node->items.push_back(std::move(node));
  } else if (top.node->kind == Node::Kind::broken) {
    return;  // a list or map under a tag that is not known
  } else if (top.key || top.bad_key) {
    take_value(top, mark, std::move(node));
  } else {
    take_key(mark, *node);
  }
}

void TreeBuilder::take_key(const YAML::Mark& mark, const Node& node) {
  Open& map = open_.back();
  const auto [line, column] = columns_.place(mark);
  const bool plain = node.kind == Node::Kind::scalar && !node.secret;
  if (!plain && node.kind != Node::Kind::null) {
    if (node.kind != Node::Kind::broken) {
      mistakes_.error(at(line, column), "a key must be a plain word");
    }
    map.bad_key = true;
    return;
  }
  map.key = Node::Entry{
      .key = plain ? node.text : "null", .line = line, .column = column, .value = nullptr};
}

void TreeBuilder::take_value(Open& map, const YAML::Mark& mark, std::shared_ptr<const Node> node) {
  if (map.bad_key) {
    map.bad_key = false;
    return;
  }
  Node::Entry entry = std::move(*map.key);
  map.key.reset();
  grow(*map.node, *node, mark);
  if (entry.key == "<<") {
    map.merged.push_back(std::move(node));
    return;
  }
  entry.value = std::move(node);
  if (const auto* first = map.node->find(entry.key)) {
    mistakes_.error(
        at(entry.line, entry.column),
        fmt::format("duplicate key '{}', first in line {}", shortened(entry.key), first->line));
    map.node->duplicates.push_back(std::move(entry));
  } else {
    map.node->add(std::move(entry));
  }
}

// YAML 1.1: what stands in the map itself wins, then the earlier of several.
void TreeBuilder::merge(Open& map) {
  const auto take = [&](const Node& from) {
    for (const auto& entry : from.entries) map.node->add(entry);
  };
  for (const auto& from : map.merged) {
    std::vector<const Node*> sources{from.get()};
    if (from->kind == Node::Kind::list) {
      sources.clear();
      for (const auto& item : from->items) sources.push_back(item.get());
    }
    for (const Node* source : sources) {
      if (source->kind == Node::Kind::map) {
        take(*source);
      } else if (source->kind != Node::Kind::broken) {
        mistakes_.error(
            at(source->line, source->column),
            fmt::format("<<: found {}, expected a map to merge", describe_found(*source)));
      }
    }
  }
}

void TreeBuilder::grow(Node& into, const Node& part, const YAML::Mark& mark) {
  into.weight += part.weight;
  into.height = std::max(into.height, part.height + 1);
  if (into.weight > Document::kMaxNodes) {
    throw TooMuch{
        mark, fmt::format("more than {} values when aliases are followed", Document::kMaxNodes)};
  }
  if (open_.size() + part.height - 1 > Document::kMaxLevels) {
    throw TooMuch{mark, fmt::format("nested deeper than {} levels", Document::kMaxLevels)};
  }
}

void TreeBuilder::resolve(Node& node, const std::string& tag) {
  static const std::vector<std::string> kTags{"!secret", "!env"};
  constexpr std::string_view kStandard = "tag:yaml.org,2002:";
  if (tag == "?" || tag == "!" || tag.empty()) return;
  if (tag.starts_with(kStandard)) {
    if (tag == "tag:yaml.org,2002:str") node.quoted = true;
    return;
  }
  const bool known = std::ranges::find(kTags, tag) != kTags.end();
  if (known && node.kind == Node::Kind::scalar) return look_up(node, tag == "!env");

  const Position where = at(node.line, node.column);
  const std::string shown =
      lines_ == Document::Lines::hidden ? "tag" : fmt::format("tag '{}'", shortened(tag));
  if (known) {
    mistakes_.error(where, fmt::format("{}: found {}, expected a name", tag, describe_found(node)));
  } else {
    auto& mistake =
        mistakes_.error(where, fmt::format("unknown {}, expected !secret or !env", shown));
    mistake.expected = "!secret or !env";
    mistake.suggestion = nearest(tag, kTags).value_or("");
  }
  node.kind = Node::Kind::broken;
}

void TreeBuilder::look_up(Node& node, bool environment) {
  const std::string name = std::string(trim(node.text));
  auto value = environment ? vault_.environment(name) : vault_.secret(name);
  if (value) {
    node.text = std::move(*value);
    node.secret = true;
    node.quoted = false;
    return;
  }
  node.kind = Node::Kind::broken;
  if (!environment && vault_.refused()) return;  // said once is enough

  const std::string shown = shortened(name);
  std::string message = fmt::format("no secret '{}' in {}", shown, Vault::kFile);
  if (!environment && !vault_.has_file()) message += ", which does not exist";
  if (environment) message = fmt::format("the environment has no variable '{}'", shown);
  auto& mistake = mistakes_.error(at(node.line, node.column), message);
  mistake.found = shown;
  const auto names = environment ? vault_.environment_names() : vault_.secret_names();
  mistake.suggestion = nearest(name, names).value_or("");
}

}  // namespace lightship::config
