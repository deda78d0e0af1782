// What is wrong with the configuration, collected and shown.
#include "config/mistake.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"

namespace lightship::config {
namespace {

// Longer lines are cut to this many characters around the mistake.
constexpr std::size_t kQuoted = 160;

// In longer lines, looking for the place of each of thousands of secrets would take minutes.
constexpr std::size_t kMasked = 1000;

std::size_t character_length(std::string_view text) {
  return std::max<std::size_t>(1, utf8_length(text));
}

// The byte at which the character `column` (from 1) starts, or the end.
std::size_t byte_of(std::string_view line, int column) {
  std::size_t at = 0;
  for (int i = 1; i < column && at < line.size(); ++i) at += character_length(line.substr(at));
  return std::min(at, line.size());
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(std::min(text.size(), character_length(text)));
  return count;
}

std::size_t indentation(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool blank(std::string_view line) { return trim(line).empty(); }

// Keeps the number of characters, so that carets stay where they are.
void star(std::string& line, std::size_t from, std::size_t bytes) {
  const std::size_t count = characters(std::string_view(line).substr(from, bytes));
  line.replace(from, bytes, std::string(count, '*'));
}

// Where the scalar ends in which an address stands at `at`, as YAML has it: behind an opening quote
// at the same quote, else at a comment, at the next entry of a flow, or at the end of the line.
std::size_t end_of_scalar(std::string_view line, std::size_t at) {
  std::size_t begin = at;
  constexpr std::string_view kScheme =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-";
  while (begin > 0 && kScheme.find(line[begin - 1]) != kScheme.npos) --begin;
  const char quote = begin == 0 ? ' ' : line[begin - 1];
  if (quote != '"' && quote != '\'')
    return std::min({line.find(" #", at), line.find(", ", at), line.size()});
  for (std::size_t i = at; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      if (quote == '"' || i + 1 == line.size() || line[i + 1] != quote) return i;
      ++i;
    }
  }
  return line.size();
}

// In a message nothing is escaped: the last quote of the kind that was opened may be the one.
std::size_t end_in_message(std::string_view text, std::size_t at) {
  const auto blank = std::min(text.find(' ', at), text.size());
  const auto quote = text.find_last_of("\"'");
  return quote == text.npos ? blank : std::max(blank, quote);
}

// Stars over what stands between the "://" and the '@' of an address: a name and a password. A
// password may hold what belongs behind a host, so the last '@' up to the end counts.
void star_users(std::string& line,
                std::size_t (*end_of)(std::string_view, std::size_t) = end_of_scalar) {
  constexpr std::string_view kBegin = "://";
  for (auto at = line.find(kBegin); at != std::string::npos; at = line.find(kBegin, at)) {
    const auto end = end_of(line, at);
    at += kBegin.size();
    if (end <= at) continue;
    const auto user = std::string_view(line).substr(at, end - at).rfind('@');
    if (user != std::string_view::npos) star(line, at, user);
  }
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n')) {
    lines.emplace_back(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    star_users(lines.back());
  }
  return lines;
}

// What a terminal can show: one sign for each that it cannot.
std::string printable(std::string_view line) {
  std::string out;
  while (!line.empty()) {
    const auto c = static_cast<unsigned char>(line.front());
    const std::size_t length = utf8_length(line);
    const bool control = (c < 0x20 && c != '\t') || c == 0x7F;
    out += length == 0 || control ? "?" : line.substr(0, length);
    line.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out;
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "?";
}

Mistake& Mistakes::add(Severity severity, const Position& at, std::string message) {
  if (severity == Severity::error) ++errors_;
  star_users(message, end_in_message);
  const bool no_room = full();
  if (no_room) ++left_out_;
  Mistake& mistake = no_room ? overflow_ : taken_.emplace_back();
  mistake = {.severity = severity,
             .file = at.file,
             .line = std::max(1, at.line),
             .column = std::max(1, at.column),
             .path = at.path,
             .message = std::move(message)};
  if (!no_room) quote_source(mistake);
  return mistake;
}

void Mistakes::know_source(const std::string& file, std::string_view text) {
  lines_[file] = split_lines(text);
}

void Mistakes::quote_source(Mistake& mistake) const {
  const auto file = lines_.find(mistake.file);
  mistake.source_line.clear();
  mistake.source_column = mistake.column;
  if (file == lines_.end()) return;
  const auto row = static_cast<std::size_t>(mistake.line - 1);
  if (row >= file->second.size()) return;

  const std::string_view line = file->second[row];
  const std::size_t wanted = kQuoted / 2;
  const auto column = static_cast<std::size_t>(mistake.column);
  if (line.size() <= kQuoted || column <= wanted) {
    mistake.source_line = printable(line.substr(0, byte_of(line, kQuoted + 1)));
    return;
  }
  const auto first = static_cast<int>(column - wanted + 1);
  const auto part = line.substr(byte_of(line, first));
  mistake.source_line = printable(part.substr(0, byte_of(part, kQuoted + 1)));
  mistake.source_column = static_cast<int>(wanted);
}

void Mistakes::mask(const Position& at, std::string_view text) {
  const auto file = lines_.find(at.file);
  if (file == lines_.end()) return;
  auto& lines = file->second;
  const auto row = static_cast<std::size_t>(at.line - 1);
  if (row >= lines.size()) return;

  std::string& line = lines[row];
  if (line.size() > kMasked) line.clear();  // then nothing of it is shown at all
  std::size_t from = byte_of(line, at.column);
  if (from < line.size() && (line[from] == '"' || line[from] == '\'')) ++from;
  std::size_t last = row;
  if (!text.empty() && std::string_view(line).substr(from).starts_with(text)) {
    star(line, from, text.size());
  } else {
    // It is folded, escaped, a block or behind an anchor: everything up to where its key's level
    // ends.
    const std::size_t level = indentation(line);
    star(line, from, line.size() - from);
    while (last + 1 < lines.size() &&
           (blank(lines[last + 1]) || indentation(lines[last + 1]) > level)) {
      ++last;
      const std::size_t begin = indentation(lines[last]);
      star(lines[last], begin, lines[last].size() - begin);
    }
  }
  for (Mistake& mistake : taken_) {
    const auto its = static_cast<std::size_t>(mistake.line - 1);
    if (mistake.file == at.file && its >= row && its <= last) quote_source(mistake);
  }
}

std::vector<Mistake> Mistakes::sorted() const {
  const auto where = [](const Mistake& m) { return std::tie(m.file, m.line, m.column); };
  std::vector<const Mistake*> order;
  for (const Mistake& mistake : taken_) order.push_back(&mistake);
  // Where two stand at the same place, the one found first is the cause.
  std::ranges::sort(order, [&](const Mistake* a, const Mistake* b) {
    return where(*a) != where(*b) ? where(*a) < where(*b) : a < b;
  });
  std::vector<Mistake> all;
  for (const Mistake* mistake : order) {
    const bool again = !all.empty() && where(all.back()) == where(*mistake) &&
                       all.back().message == mistake->message;
    if (!again) all.push_back(*mistake);
  }
  return all;
}

std::string to_text(const Mistake& mistake) {
  std::string out = fmt::format("{}:{}:{}: {}: {}\n", mistake.file, mistake.line, mistake.column,
                                to_string(mistake.severity), mistake.message);
  const std::string_view line = mistake.source_line;
  if (!line.empty()) {
    out += fmt::format("{}\n", line);
    std::string_view before = line.substr(0, byte_of(line, mistake.source_column));
    while (!before.empty()) {
      out += before.front() == '\t' ? '\t' : ' ';
      before.remove_prefix(std::min(before.size(), character_length(before)));
    }
    out += "^\n";
  }
  if (!mistake.suggestion.empty()) out += fmt::format("did you mean '{}'?\n", mistake.suggestion);
  return out;
}

std::string Mistakes::text() const {
  std::string out;
  for (const Mistake& mistake : sorted()) out += to_text(mistake);
  if (left_out_ > 0) out += fmt::format("and {} more\n", left_out_);
  return out;
}

std::string Mistakes::text(Severity only) const {
  std::string out;
  for (const Mistake& mistake : sorted()) {
    if (mistake.severity == only) out += to_text(mistake);
  }
  return out;
}

void Mistakes::write_json(JsonWriter& json) const {
  json.begin_array();
  for (const Mistake& mistake : sorted()) {
    json.begin_object()
        .member("severity", to_string(mistake.severity))
        .member("file", mistake.file)
        .member("line", mistake.line)
        .member("column", mistake.column)
        .member("path", mistake.path)
        .member("message", mistake.message)
        .member("found", mistake.found)
        .member("expected", mistake.expected)
        .member("suggestion", mistake.suggestion)
        .end_object();
  }
  json.end_array();
}

}  // namespace lightship::config
