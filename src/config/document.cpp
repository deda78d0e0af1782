// Reading one YAML file within bounds.
#include "config/document.h"

#include <cerrno>
#include <cstring>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/file.h"
#include "base/text.h"
#include "config/scalar.h"
#include "config/tree_builder.h"
#include "config/vault.h"

namespace lightship::config {
namespace {

struct Fault {
  std::size_t at;
  std::string what;
};

// The first byte that does not belong into a YAML file.
std::optional<Fault> bad_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F) {
      return Fault{i, fmt::format("control character 0x{:02X}", c)};
    }
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return Fault{i, fmt::format("byte 0x{:02X} is not UTF-8", c)};
    i += length;
  }
  return std::nullopt;
}

YAML::Mark mark_of(std::string_view text, std::size_t byte) {
  YAML::Mark mark;
  for (std::size_t i = 0; i < byte; ++i) {
    ++mark.column;
    if (text[i] == '\n') {
      ++mark.line;
      mark.column = 0;
    }
  }
  return mark;
}

std::string_view line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// What the parser stopped at was never read as a secret, so its line is judged by its looks.
void mask_suspicious(const Position& at, std::string_view text, Mistakes& mistakes) {
  const auto line = line_of(text, at.line);
  const std::string low = to_lower(line);
  for (const std::string_view word : {"password", "secret", "token", "key", "webhook"}) {
    const auto found = low.find(word);
    const auto colon = low.find(':', found);
    if (found == std::string::npos || colon == std::string::npos) continue;
    const auto value = low.find_first_not_of(" \"'", colon + 1);
    if (value == std::string::npos) continue;
    int column = 1;
    for (std::size_t i = 0; i < value; ++i)
      column += (static_cast<unsigned char>(line[i]) & 0xC0) == 0x80 ? 0 : 1;
    mistakes.mask({at.file, at.line, column, {}}, line.substr(value));
  }
}

// The parser's word for it, or a kinder one where it is a common slip.
std::pair<YAML::Mark, std::string> explain(const YAML::Exception& error, std::string_view text,
                                           const TreeBuilder& builder) {
  const auto never_closed = [&](std::string_view what, Node::Kind kind) {
    return error.msg == what ? builder.opened(kind) : std::nullopt;
  };
  if (const auto open = never_closed(YAML::ErrorMsg::END_OF_SEQ_FLOW, Node::Kind::list)) {
    return {*open, "YAML: this '[' is never closed"};
  }
  if (const auto open = never_closed(YAML::ErrorMsg::END_OF_MAP_FLOW, Node::Kind::map)) {
    return {*open, "YAML: this '{' is never closed"};
  }
  const auto line = line_of(text, error.mark.line + 1);
  const auto indent = line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
  const auto tab = indent.find('\t');
  if (tab == std::string_view::npos) return {error.mark, "YAML: " + shortened(error.msg)};
  YAML::Mark mark = error.mark;
  mark.column = static_cast<int>(tab);
  return {mark, "YAML: a tab in the indentation, expected blanks"};
}

}  // namespace

Document::Document(std::string name, std::string_view text, const Vault& vault, Mistakes& mistakes,
                   Lines lines)
    : name_(std::move(name)), root_(std::make_shared<Node>(Node{.kind = Node::Kind::map})) {
  if (text.size() > kMaxBytes) {
    mistakes.error({name_, 1, 1, {}}, fmt::format("the file is larger than {} bytes", kMaxBytes));
    broken_ = true;
    return;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (lines == Lines::shown) mistakes.know_source(name_, text);

  Columns columns(text);
  const auto stop = [&](const YAML::Mark& mark, std::string message) {
    const auto [line, column] = columns.place(mark);
    const Position at{name_, line, column, {}};
    mask_suspicious(at, text, mistakes);
    mistakes.error(at, lines == Lines::shown ? std::move(message) : "not valid YAML");
    broken_ = true;
  };
  if (const auto fault = bad_byte(text)) {
    stop(mark_of(text, fault->at), fault->what);
    return;
  }

  TreeBuilder builder(name_, columns, vault, mistakes, lines);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    const bool any = parser.HandleNextDocument(builder);
    const auto root = builder.root();
    if (!any || !root || root->kind == Node::Kind::null) return;  // empty: nothing is configured
    if (root->kind == Node::Kind::broken) {
      broken_ = true;
    } else if (root->kind != Node::Kind::map) {
      auto& mistake =
          mistakes.error({name_, root->line, root->column, {}},
                         fmt::format("found {}, expected a map of keys and values",
                                     lines == Lines::shown ? describe_found(*root) : "no map"));
      mistake.expected = "a map of keys and values";
      broken_ = true;
    } else {
      root_ = root;
    }
    Mistakes ignored;  // what nobody reads need not be right
    TreeBuilder more(name_, columns, vault, ignored, lines);
    if (parser.HandleNextDocument(more) && more.root() && more.root()->kind != Node::Kind::null) {
      mistakes.error({name_, more.root()->line, more.root()->column, {}},
                     "a second document in the same file is never read");
    }
  } catch (const TooMuch& much) {
    stop(much.mark, much.message);
  } catch (const YAML::Exception& error) {
    const auto [mark, message] = explain(error, text, builder);
    stop(mark, message);
  }
}

std::optional<std::string> read_text(const std::filesystem::path& file, const std::string& name,
                                     Mistakes& mistakes) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) {
    mistakes.error({name, 1, 1, {}}, "not a regular file");
    return std::nullopt;
  }
  auto text = read_file(file, Document::kMaxBytes);
  if (text) return std::move(*text);
  const bool large = text.error().code == Errc::invalid;
  mistakes.error({name, 1, 1, {}},
                 large ? fmt::format("the file is larger than {} bytes", Document::kMaxBytes)
                       : fmt::format("cannot be read: {}", std::strerror(text.error().detail)));
  return std::nullopt;
}

}  // namespace lightship::config
