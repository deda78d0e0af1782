// Masks by names, by looks and by known values.
#include "portal/diag/masker.h"

#include <algorithm>
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

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// Calls `seen` for each value below a key that hides something, or that comes from a vault.
template <class Seen>
void walk(const config::Node& node, std::string_view name, const Seen& seen) {
  if (node.kind == config::Node::Kind::scalar && (!name.empty() || node.secret)) seen(name, node);
  for (const auto& item : node.items) walk(*item, name, seen);
  for (const auto* entries : {&node.entries, &node.duplicates}) {
    for (const auto& entry : *entries) {
      const bool hides = Masker::is_name_of_secret(entry.key);
      if (entry.value) walk(*entry.value, hides ? std::string_view(entry.key) : name, seen);
    }
  }
}

}  // namespace

bool Masker::is_name_of_secret(std::string_view name) {
  // Behind something in front only as a word of its own: "key_file" and "pass_through" are not.
  static const re2::RE2 pattern(
      "(?i).*(?:password|passwd|passphrase|pwd|secret|token|credential|cookie|webhook|bearer|"
      "signature|api[_-]?key|private[_-]?key|access[_-]?key|authorization).*|"
      "(?:.*[_.-])?(?:pass|pw|pin|psk|auth|headers?|proxy|user|username|login)|"
      ".*keys?");
  return re2::RE2::FullMatch(piece(name), pattern);
}

bool Masker::is_to_be_swept_for(std::string_view name, std::string_view value) {
  constexpr std::size_t kLikeAToken = 16;
  const auto lower = to_lower(name);
  return value.size() >= kLikeAToken || !(lower.ends_with("user") || lower.ends_with("username"));
}

bool Masker::looks_like_secret(std::string_view text) {
  static const re2::RE2 pattern(
      "(?i)-----BEGIN|\\b(?:bearer|basic)\\s+[\\w+/=.~-]{4,}|"
      "(?:pass|password|passwd|passphrase|pwd|pw|secret|token|key)[\"']?\\s*[=:]\\s*\\S|"
      "\\beyJ[\\w-]{10,}\\.|\\d{6,}:[\\w-]{30,}|^[^/\\s]+:[^/\\s]+@");
  if (re2::RE2::PartialMatch(piece(text), pattern)) return true;
  static const re2::RE2 word("([A-Za-z0-9+=]{24,})");
  re2::StringPiece rest = piece(text);
  std::string found;
  while (re2::RE2::FindAndConsume(&rest, word, &found)) {
    const auto has = [&](auto kind) {
      return std::ranges::any_of(found, [&](unsigned char c) { return kind(c) != 0; });
    };
    if (has([](int c) { return std::isdigit(c); }) && has([](int c) { return std::isalpha(c); }))
      return true;
  }
  return false;
}

void Masker::learn(std::string_view secret) {
  if (secret.size() < kShortest || secret == "true" || secret == "false") return;
  secrets_.emplace(secret);
  // As it stands in JSON, and its lines alone.
  std::string escaped;
  append_json_string(escaped, secret);
  secrets_.insert(escaped.substr(1, escaped.size() - 2));
  if (secret.find('\n') == std::string_view::npos) return;
  constexpr std::size_t kShortestLine = 8;
  for (const auto line : split(secret, '\n')) {
    const auto words = trim(line);
    if (words.size() >= kShortestLine && words.find("-----") == std::string_view::npos)
      learn(words);
  }
}

void Masker::learn_url(std::string_view url) {
  static const re2::RE2 pattern("[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#\\s]*@)?[^/?#\\s]*([/?#].*)");
  std::string path;
  if (!re2::RE2::FullMatch(piece(url), pattern, &path)) return;
  // Long enough not to stand elsewhere for something else.
  constexpr std::size_t kShortestPath = 12;
  std::string word;
  for (const char c : path + "/") {
    const bool divides = std::string_view("/?#&=;").find(c) != std::string_view::npos;
    if (!divides) {
      word += c;
      continue;
    }
    if (word.size() >= kShortestPath) learn(word);
    word.clear();
  }
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
  walk(document.root(), {}, [this](std::string_view name, const config::Node& node) {
    if (node.secret || is_to_be_swept_for(name, node.text)) learn(node.text);
  });
  return true;
}

std::string Masker::without_urls(std::string text) const {
  static const re2::RE2 user("([A-Za-z][A-Za-z0-9+.-]*://)[^/?#@\\s\"'<>]*(?:@[^/?#@\\s\"'<>]*)*@");
  // Behind the host of a web address.
  static const re2::RE2 path("(?i)\\b((?:https?|wss?)://[^/?#\\s\"'<>\\\\]*)[/?#][^\\s\"'<>\\\\]+");
  // A key in the query of what is no whole URL.
  static const re2::RE2 query(
      "(?i)([?&;](?:[\\w.-]*(?:key|sig|code|auth|secret|token|pass|pwd|credential)[\\w.-]*)=)"
      "[^&#\\s\"'<>;\\\\]*");
  re2::RE2::GlobalReplace(&text, user, "\\1(masked)@");
  re2::RE2::GlobalReplace(&text, path, "\\1/(masked)");
  re2::RE2::GlobalReplace(&text, query, "\\1(masked)");
  return text;
}

std::string Masker::sweep(std::string text) const {
  // Also as it stands in JSON, with \n for its ends of lines.
  static const re2::RE2 pem(
      "-----BEGIN [A-Z0-9 ]+-----(?:[^\"]*?-----END [A-Z0-9 ]+-----|[^\"\n]*)");
  static const re2::RE2 named(
      "(?i)((?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key)="
      "\\\\*[\"']?)[^\\s\"'\\\\,;&<>(){}\\[\\]]+");
  static const re2::RE2 quoted(
      "(?i)((?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key)"
      "\\\\*[\"']\\s*:\\s*\\\\*\")[^\"\\\\(][^\"\\\\]*");
  static const re2::RE2 shown("(?i)\\b((?:bearer|basic)\\s+)[\\w+/=.~-]{8,}");
  re2::RE2::GlobalReplace(&text, pem, kMasked);
  text = without_urls(std::move(text));
  for (const auto& [pattern, with] :
       {std::pair{&named, "\\1(masked)"}, std::pair{&quoted, "\\1(masked)"},
        std::pair{&shown, "\\1(masked)"}})
    re2::RE2::GlobalReplace(&text, *pattern, with);
  // The longest first: one may be a part of another.
  std::vector<std::string_view> all(secrets_.begin(), secrets_.end());
  std::ranges::sort(all, std::ranges::greater{}, &std::string_view::size);
  for (const auto secret : all) {
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos;) {
      text.replace(at, secret.size(), kMasked);
      at += std::string_view(kMasked).size();
    }
  }
  return text;
}

}  // namespace lightship::portal
