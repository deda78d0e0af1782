// Masks line by line, then by known values.
#include "portal/diag/masker.h"

#include <vector>

#include <re2/re2.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "config/document.h"
#include "config/node.h"

namespace lightship::portal {
namespace {

// A shorter one is everywhere; whoever has such a password has none.
constexpr std::size_t kShortest = 4;

// What keys are called that hide something.
const std::string kName =
    "[\\w.-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key|"
    "access[_-]?key|auth|credential|cookie|session|webhook|headers|proxy|psk|bearer|signature)"
    "[\\w.-]*";

// A key of its own line; in front of it blanks, dashes of lists, or the sign of a comment.
const re2::RE2& key_of_line() {
  static const re2::RE2 pattern("(?i)^([\\s#-]*)([\"']?" + kName +
                                "[\"']?)\\s*:(?:\\s+(.*)|\\s*)$");
  return pattern;
}
// A key within braces or brackets.
const re2::RE2& key_within() {
  static const re2::RE2 pattern(
      "(?i)([{,\\[]\\s*[\"']?" + kName +
      "[\"']?\\s*:\\s*)(\"(?:[^\"\\\\]|\\\\.)*\"?|'[^']*'?|\\{[^}]*\\}?|\\[[^\\]]*\\]?|[^,}\\]]*)");
  return pattern;
}
const re2::RE2& user_in_url() {
  static const re2::RE2 pattern(
      "([A-Za-z][A-Za-z0-9+.-]*://)[^/?#@\\s\"'<>]*(?:@[^/?#@\\s\"'<>]*)*@");
  return pattern;
}
// A key in the query of a URL.
const re2::RE2& key_in_url() {
  static const re2::RE2 pattern(
      "(?i)([?&;](?:[\\w.-]*(?:key|sig|code|auth|secret|token|pass|pwd|"
      "password|signature|credential)[\\w.-]*)=)[^&#\\s\"'<>;]*");
  return pattern;
}

std::string without_urls(std::string text) {
  re2::RE2::GlobalReplace(&text, user_in_url(), "\\1(masked)@");
  re2::RE2::GlobalReplace(&text, key_in_url(), "\\1(masked)");
  return text;
}

// "hunter2" of "\"hunter2\"  # for the broker"; nothing where there is only a reference.
std::string_view plain(std::string_view value) {
  value = trim(value);
  if (value.starts_with('!')) return {};  // !secret NAME, !env NAME
  if (value.starts_with('"') || value.starts_with('\'')) {
    const auto end = value.find(value.front(), 1);
    return value.substr(1, end == std::string_view::npos ? end : end - 1);
  }
  return trim(value.substr(0, value.find(" #")));
}

// Calls `seen` for each value below a key that hides something, or that comes from a vault.
template <class Seen>
void walk(const config::Node& node, bool hidden, const Seen& seen) {
  static const re2::RE2 name("(?i)" + kName);
  if (node.kind == config::Node::Kind::scalar && (hidden || node.secret)) seen(node);
  for (const auto& item : node.items) walk(*item, hidden, seen);
  for (const auto* entries : {&node.entries, &node.duplicates}) {
    for (const auto& entry : *entries)
      if (entry.value) walk(*entry.value, hidden || re2::RE2::FullMatch(entry.key, name), seen);
  }
}

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

}  // namespace

void Masker::learn(std::string_view secret) {
  if (secret.size() < kShortest || secret == "true" || secret == "false") return;
  secrets_.emplace(secret);
  // As it stands in JSON.
  std::string escaped;
  append_json_string(escaped, secret);
  secrets_.insert(escaped.substr(1, escaped.size() - 2));
}

void Masker::learn_secrets(const std::filesystem::path& config_dir) {
  config::Mistakes ignored;
  vault_ = config::Vault::open(config_dir, ignored);
  for (const auto& name : vault_.secret_names()) learn(vault_.secret(name).value_or(""));
}

bool Masker::learn_file(std::string_view text) {
  config::Mistakes ignored;
  const config::Document document("", text, vault_, ignored, config::Document::Lines::hidden);
  if (document.broken()) return false;
  walk(document.root(), false, [this](const config::Node& node) { learn(node.text); });
  return true;
}

bool Masker::is_masked(std::string_view text) const {
  config::Mistakes ignored;
  const config::Document document("", text, vault_, ignored, config::Document::Lines::hidden);
  bool masked = !document.broken();
  walk(document.root(), false, [&](const config::Node& node) {
    if (!node.secret && !node.text.empty() && node.text != kMasked) masked = false;
  });
  return masked;
}

std::string Masker::yaml(std::string_view text) {
  // Values that a secret key takes from elsewhere in the file.
  std::vector<std::string> anchors;
  const auto lines = split(text, '\n');
  for (const auto line : lines) {
    std::string value;
    if (re2::RE2::FullMatch(re2::StringPiece(line.data(), line.size()), key_of_line(), nullptr,
                            nullptr, &value) &&
        value.starts_with('*'))
      anchors.emplace_back(trim(std::string_view(value).substr(1)));
  }

  std::string out;
  std::optional<std::size_t> hidden_below;  // the indent of the key whose inside is hidden
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = lines[i].ends_with('\r') ? lines[i].substr(0, lines[i].size() - 1) : lines[i];
    const auto indent = indent_of(line);
    if (hidden_below) {
      const bool blank = trim(line).empty();
      const bool item = indent == *hidden_below && trim(line).starts_with("- ");
      const bool closing = indent == *hidden_below && line.find_first_of("}]") == indent;
      if (blank || indent > *hidden_below || item || closing) {
        if (const auto colon = line.find(": "); colon != std::string_view::npos)
          learn(plain(line.substr(colon + 2)));
        else
          learn(plain(line));
        continue;
      }
      hidden_below.reset();
    }
    if (i > 0) out += '\n';
    std::string front, key, value;
    if (re2::RE2::FullMatch(re2::StringPiece(line.data(), line.size()), key_of_line(), &front, &key,
                            &value)) {
      learn(plain(value));
      // A reference says which secret, not what it is.
      const auto told = trim(value);
      const bool reference = told.starts_with("!secret ") || told.starts_with("!env ");
      out += front + key + ": " + (reference ? value : std::string(kMasked));
      hidden_below =
          front.find('#') == std::string::npos ? std::optional(front.size()) : std::nullopt;
      if (front.find('#') == std::string::npos && front.find('-') != std::string::npos)
        hidden_below = front.size();
      continue;
    }
    std::string shown(line);
    for (const auto& anchor : anchors) {
      const auto at = shown.find("&" + anchor + " ");
      if (at == std::string::npos) continue;
      const auto from = at + anchor.size() + 2;
      learn(plain(std::string_view(shown).substr(from)));
      shown = shown.substr(0, from) + kMasked;
      hidden_below = indent;
    }
    re2::StringPiece rest(shown);
    std::string before, inside;
    while (re2::RE2::FindAndConsume(&rest, key_within(), &before, &inside)) learn(plain(inside));
    re2::RE2::GlobalReplace(&shown, key_within(), "\\1(masked)");
    out += without_urls(std::move(shown));
  }
  return out;
}

std::string Masker::sweep(std::string text) const {
  text = without_urls(std::move(text));
  for (const auto& secret : secrets_) {
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;) {
      text.replace(at, secret.size(), kMasked);
      at += std::string_view(kMasked).size();
    }
  }
  return text;
}

}  // namespace lightship::portal
