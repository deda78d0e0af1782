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
// Of one value in memory; in the output it is whole.
constexpr std::size_t kMostOfAValue = 2048;

void append_text(std::string& out, const LogField& part) {
  out += ' ';
  out += part.key;
  out += '=';
  const bool plain =
      !part.value.empty() && part.value.find_first_of(" \"=\n\r\t") == std::string::npos;
  if (plain)
    out += part.value;
  else
    append_json_string(out, part.value);
}

void append_member(std::string& out, const LogField& part, std::size_t most) {
  out += ',';
  append_json_string(out, part.key);
  out += ':';
  // A float that is no number has no form in JSON.
  const bool bare = part.bare && part.value.find_first_of("ni") == std::string::npos;
  if (bare)
    out += part.value;
  else
    append_json_string(out, start_of(part.value, most));
}

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
  const auto rendered = render(fields);
  const std::scoped_lock lock(mutex_);
  if (level != Level::debug) {
    const std::string key = fmt::format("{}|{}|{}", source, event, rendered.members);
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

Logbook::Rendered Logbook::render(std::span<const LogField> fields) const {
  Rendered rendered;
  for (const auto& part : fields) append_member(rendered.members, part, kMostOfAValue);
  const auto is_long = [](const LogField& part) { return part.value.size() > kMostOfAValue; };
  const bool cut = std::ranges::any_of(fields, is_long);
  for (const auto& part : fields) {
    if (form_ == Form::text)
      append_text(rendered.shown, part);
    else if (cut)
      append_member(rendered.shown, part, std::string::npos);
  }
  return rendered;
}

void Logbook::put(Level level, std::string_view source, std::string_view event,
                  const Rendered& fields, std::uint64_t repeats) {
  const auto now = clock_.now();
  const auto repeated = repeats > 0 ? fmt::format(",\"repeated\":{}", repeats) : std::string();
  std::string line;
  if (form_ == Form::json) {
    line =
        fmt::format(R"({{"time":"{}","level":"{}","source":)", to_rfc3339(now), to_string(level));
    append_json_string(line, source);
    line += ",\"event\":";
    append_json_string(line, event);
    line += (fields.shown.empty() ? fields.members : fields.shown) + repeated + "}\n";
  } else {
    line = fmt::format("{} {:5} {}: {}{}", to_rfc3339(now), to_string(level), source, event,
                       fields.shown);
    if (repeats > 0)
      line += fmt::format(" (repeated {})",
                          repeats == 1 ? "once more" : fmt::format("{} times", repeats));
    line += '\n';
  }
  std::fwrite(line.data(), 1, line.size(), out_);
  std::fflush(out_);
  lines_[static_cast<int>(level)].fetch_add(1, std::memory_order_relaxed);
  std::string members = fields.members + repeated;
  if (!members.empty()) members.erase(0, 1);  // the comma
  ring_.keep({0, now, level, std::string(source), std::string(event), std::move(members)});
}

Log::Log(Logbook& book, std::string source)
    : book_(&book),
      component_(&book.component(std::string_view(source).substr(0, source.find('/')))),
      source_(std::move(source)) {}

}  // namespace lightship
