// Walks the tree and the declarations side by side.
#include "portal/diag/config_text.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "config/document.h"
#include "config/node.h"

namespace lightship::portal {
namespace {

using config::Described;
using config::Kind;
using config::Node;

bool is_number(std::string_view text) {
  return text.find_first_not_of("0123456789.,:+-eE_ ") == std::string_view::npos;
}

class Writer {
 public:
  explicit Writer(Masker& masker) : masker_(masker) {}

  void map(const Node& node, const std::vector<Described>& keys, std::size_t indent) {
    for (const auto& entry : node.entries) {
      if (entry.value) member(entry, keys, indent);
    }
    // Of a key that is there twice only the first counts; the other may be a secret all the same.
    for (const auto& entry : node.duplicates) {
      if (!entry.value) continue;
      ++left_out_;
      learn(*entry.value, Masker::is_name_of_secret(entry.key) || is_secret(keys, entry.key));
    }
  }

  std::string text() && {
    if (left_out_ > 0)
      out_ += fmt::format("# {} more: keys that are not known here, or not shown\n", left_out_);
    return std::move(out_);
  }

 private:
  static bool is_secret(const std::vector<Described>& keys, std::string_view key) {
    return std::ranges::any_of(
        keys, [&](const auto& one) { return one.key == key && one.type.kind == Kind::secret; });
  }

  void member(const Node::Entry& entry, const std::vector<Described>& keys, std::size_t indent) {
    const auto known = std::ranges::find(keys, entry.key, &Described::key);
    if (known != keys.end() && !is_secret(keys, entry.key)) {
      name(entry.key, indent);
      return value(*entry.value, *known, Masker::is_name_of_secret(entry.key), indent);
    }
    const bool secret = known != keys.end() || Masker::is_name_of_secret(entry.key);
    learn(*entry.value, secret);
    std::vector<std::string> names;
    for (const auto& one : keys) names.push_back(one.key);
    // One that is written wrong shows where to look; any other may be a secret itself.
    if (known == keys.end() && !nearest(entry.key, names)) {
      ++left_out_;
      return;
    }
    name(entry.key, indent);
    masked();
  }

  // What is under a key that is declared. `hidden`: a text there is a secret.
  void value(const Node& node, const Described& is, bool hidden, std::size_t indent) {
    if (node.kind == Node::Kind::null) {
      out_ += '\n';
      return;
    }
    switch (is.kind) {
      case Kind::section:
        return section(node, is, indent);
      case Kind::items:
        return items(node, is, indent);
      case Kind::map:
        return named(node, is, hidden, indent);
      case Kind::list:
        return list(node, is, hidden, indent);
      default:
        return scalar(node, is, hidden);
    }
  }

  void section(const Node& node, const Described& is, std::size_t indent) {
    const bool word = node.kind == Node::Kind::scalar && !node.secret &&
                      std::ranges::find(is.type.choices, node.text) != is.type.choices.end();
    if (word) return plain(node.text);
    if (node.kind != Node::Kind::map || is.keys.empty()) return hide(node);
    out_ += '\n';
    map(node, is.keys, indent + 2);
  }

  void items(const Node& node, const Described& is, std::size_t indent) {
    if (node.kind != Node::Kind::list) return hide(node);
    out_ += '\n';
    for (const auto& item : node.items) {
      out_ += std::string(indent + 2, ' ') + "-";
      const auto* keys = keys_of(*item, is);
      if (item->kind != Node::Kind::map || keys == nullptr) {
        hide(*item);
        continue;
      }
      out_ += '\n';
      map(*item, *keys, indent + 4);
    }
  }

  // Which keys this item has; nothing: it is of no kind that is looked into.
  static const std::vector<Described>* keys_of(const Node& item, const Described& is) {
    if (is.variants.empty()) return &is.keys;
    const auto* which = item.find(is.discriminator);
    if (which == nullptr || !which->value) return nullptr;
    for (const auto& variant : is.variants) {
      if (variant.later.empty() &&
          std::ranges::find(variant.values, which->value->text) != variant.values.end())
        return &variant.keys;
    }
    return nullptr;
  }

  void named(const Node& node, const Described& is, bool hidden, std::size_t indent) {
    if (node.kind != Node::Kind::map || is.keys.empty()) return hide(node);
    out_ += '\n';
    for (const auto& entry : node.entries) {
      if (!entry.value) continue;
      const bool secret = hidden || Masker::is_name_of_secret(entry.key);
      if (Masker::looks_like_secret(entry.key)) {
        masker_.learn(entry.key);
        learn(*entry.value, secret || is.keys.front().type.kind == Kind::secret);
        ++left_out_;
        continue;
      }
      name(entry.key, indent + 2);
      value(*entry.value, is.keys.front(), secret, indent + 2);
    }
    for (const auto& entry : node.duplicates) {
      if (!entry.value) continue;
      ++left_out_;
      learn(*entry.value, hidden || is.keys.front().type.kind == Kind::secret);
    }
  }

  void list(const Node& node, const Described& is, bool hidden, std::size_t indent) {
    if (node.kind != Node::Kind::list) return scalar(node, is, hidden);
    out_ += '\n';
    for (const auto& item : node.items) {
      out_ += std::string(indent + 2, ' ') + "-";
      scalar(*item, is, hidden);
    }
  }

  void scalar(const Node& node, const Described& is, bool hidden) {
    if (node.kind == Node::Kind::null) return plain("");
    if (node.kind != Node::Kind::scalar) return hide(node);
    if (node.secret || is.type.kind == Kind::secret) {
      masker_.learn(node.text);
      return masked();
    }
    if (is.type.kind != Kind::text)
      return config::read_scalar(node, is.type).value ? plain(node.text) : hide(node);
    // An address that is none may be anything.
    const bool odd = to_lower(is.key).ends_with("url") && !node.text.contains("://");
    const auto shown = masker_.without_urls(node.text);
    if (hidden || odd || Masker::looks_like_secret(shown)) {
      if (Masker::is_to_be_swept_for(is.key, node.text)) masker_.learn(node.text);
      return masked();
    }
    masker_.learn_url(node.text);
    quoted(shown);
  }

  // Takes the place of a value, whatever it is.
  void hide(const Node& node) {
    learn(node, false);
    masked();
  }

  // What is hidden only because nobody knows it is mostly no secret: a number is left alone, else
  // it would be missing everywhere.
  void learn(const Node& node, bool secret) {
    constexpr std::size_t kShortest = 6;
    if (node.kind == Node::Kind::scalar &&
        (secret || node.secret || (node.text.size() >= kShortest && !is_number(node.text))))
      masker_.learn(node.text);
    for (const auto& item : node.items) learn(*item, secret);
    for (const auto* entries : {&node.entries, &node.duplicates}) {
      for (const auto& entry : *entries)
        if (entry.value) learn(*entry.value, secret || Masker::is_name_of_secret(entry.key));
    }
  }

  void name(std::string_view key, std::size_t indent) {
    out_ += std::string(indent, ' ');
    if (is_id(key))
      out_ += key;
    else
      append_json_string(out_, key);
    out_ += ':';
  }
  void masked() { out_ += fmt::format(" {}\n", Masker::kMasked); }
  void plain(std::string_view text) {
    out_ += fmt::format("{}{}\n", text.empty() ? "" : " ", text);
  }
  void quoted(std::string_view text) {
    out_ += ' ';
    append_json_string(out_, text);
    out_ += '\n';
  }

  Masker& masker_;
  std::string out_;
  std::size_t left_out_ = 0;
};

}  // namespace

Result<std::string> config_text(std::string_view file, const std::vector<Described>& keys,
                                Masker& masker) {
  config::Mistakes ignored;
  const config::Document document("", file, masker.vault(), ignored,
                                  config::Document::Lines::hidden);
  if (document.broken())
    return fail(Errc::invalid, "it is no YAML, so nobody knows where its secrets are");
  Writer writer(masker);
  writer.map(document.root(), keys, 0);
  return std::move(writer).text();
}

}  // namespace lightship::portal
