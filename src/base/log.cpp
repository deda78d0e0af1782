// Logbook: levels, folding of repeats, text and JSON lines.
#include "base/log.h"

#include <utility>

#include "base/json_writer.h"
#include "base/text.h"

namespace lightship {
namespace {

// Long enough to fold a device that fails at every poll, short enough that a reader sees it goes
// on.
constexpr auto kFoldingWindow = std::chrono::seconds(60);
// Different lines remembered for folding; beyond that lines are written as they come.
constexpr std::size_t kFoldedLines = 512;
// A line that comes back after its source has said something else is news: a broker that is lost,
// found and lost again. So many times within the window; more is a flood.
constexpr std::uint64_t kShown = 5;

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "info";
}

std::optional<Level> parse_level(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "debug" || word == "trace") return Level::debug;
  if (word == "info" || word == "notice") return Level::info;
  if (word == "warn" || word == "warning") return Level::warn;
  if (word == "error" || word == "critical") return Level::error;
  return std::nullopt;
}

Logbook::Logbook(Clock& clock, std::FILE* out, Form form, Level level)
    : clock_(clock), out_(out), form_(form), level_(static_cast<int>(level)) {}

Logbook::~Logbook() { flush(true); }

void Logbook::set_level(Level level) {
  level_.store(static_cast<int>(level), std::memory_order_relaxed);
}

void Logbook::set_level(std::string_view name, std::optional<Level> level) {
  component(name).own_level.store(level ? static_cast<int>(*level) : -1, std::memory_order_relaxed);
}

void Logbook::more_talkative(int steps) {
  set_level(static_cast<Level>(std::clamp(static_cast<int>(level()) - steps, 0, 3)));
}

Logbook::Component& Logbook::component(std::string_view name) {
  const std::scoped_lock lock(mutex_);
  const auto known = components_.find(name);
  if (known != components_.end()) return *known->second;
  auto made = std::make_unique<Component>();
  made->name = std::string(name);
  return *components_.emplace(std::string(name), std::move(made)).first->second;
}

bool Logbook::wants(const Component& component, Level level) const {
  const int own = component.own_level.load(std::memory_order_relaxed);
  return static_cast<int>(level) >= (own >= 0 ? own : level_.load(std::memory_order_relaxed));
}

void Logbook::write(const std::string& source, Level level, std::string_view event,
                    std::span<const LogField> fields) {
  std::string rendered = render(fields);
  const std::scoped_lock lock(mutex_);
  if (level != Level::debug) {
    const std::string key = fmt::format("{}|{}|{}", source, event, rendered);
    const auto now = clock_.mono();
    const auto seen = folded_.find(key);
    const bool changed = std::exchange(newest_[source], key) != key;
    if (seen != folded_.end() && now - seen->second.since < kFoldingWindow) {
      if (!changed || seen->second.shown >= kShown) {
        ++seen->second.repeats;
        return;
      }
      ++seen->second.shown;
    } else {
      if (seen != folded_.end()) {
        if (seen->second.repeats > 0) put(level, source, event, rendered, seen->second.repeats);
        folded_.erase(seen);
      }
      if (folded_.size() < kFoldedLines) {
        folded_.emplace(key, Folded{now, 1, 0, level, source, std::string(event), rendered});
      }
    }
  }
  put(level, source, event, rendered, 0);
}

void Logbook::note(std::string_view event, std::string_view what) {
  const LogField said = field("level", what);
  const auto rendered = render(std::span(&said, 1));
  const std::scoped_lock lock(mutex_);
  put(Level::info, "lightship", event, rendered, 0);
}

void Logbook::flush(bool all) {
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.mono();
  for (auto at = folded_.begin(); at != folded_.end();) {
    auto& line = at->second;
    if (!all && now - line.since < kFoldingWindow) {
      ++at;
      continue;
    }
    if (line.repeats > 0) put(line.level, line.component, line.event, line.fields, line.repeats);
    at = folded_.erase(at);
  }
  std::fflush(out_);
}

std::string Logbook::render(std::span<const LogField> fields) const {
  std::string text;
  for (const auto& part : fields) {
    if (form_ == Form::json) {
      text += ',';
      append_json_string(text, part.key);
      text += ':';
      if (part.bare)
        text += part.value;
      else
        append_json_string(text, part.value);
      continue;
    }
    text += ' ';
    text += part.key;
    text += '=';
    const bool plain =
        !part.value.empty() && part.value.find_first_of(" \"=\n\r\t") == std::string::npos;
    if (plain)
      text += part.value;
    else
      append_json_string(text, part.value);
  }
  return text;
}

void Logbook::put(Level level, std::string_view source, std::string_view event,
                  std::string_view fields, std::uint64_t repeats) {
  std::string line;
  const std::string time = to_rfc3339(clock_.now());
  if (form_ == Form::json) {
    line = fmt::format(R"({{"time":"{}","level":"{}","source":)", time, to_string(level));
    append_json_string(line, source);
    line += ",\"event\":";
    append_json_string(line, event);
    line += fields;
    if (repeats > 0) line += fmt::format(",\"repeated\":{}", repeats);
    line += "}\n";
  } else {
    line = fmt::format("{} {:5} {}: {}{}", time, to_string(level), source, event, fields);
    if (repeats > 0)
      line += fmt::format(" (repeated {})",
                          repeats == 1 ? "once more" : fmt::format("{} times", repeats));
    line += '\n';
  }
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
  lines_[static_cast<int>(level)].fetch_add(1, std::memory_order_relaxed);
}

Log::Log(Logbook& book, std::string source)
    : book_(&book),
      component_(&book.component(std::string_view(source).substr(0, source.find('/')))),
      source_(std::move(source)) {}

}  // namespace lightship
