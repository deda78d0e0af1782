// Filters lines.
#include "portal/diag/log_search.h"

#include <re2/re2.h>
#include <boost/json/parse.hpp>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "portal/live/json_text.h"

namespace lightship::portal {
namespace {

namespace json = boost::json;

json::object fields_of(const LogLine& line) {
  boost::system::error_code wrong;
  auto parsed = json::parse("{" + line.fields + "}", wrong);
  return wrong || !parsed.is_object() ? json::object() : std::move(parsed.as_object());
}

std::string shown(const json::value& value) {
  if (value.is_string()) return std::string(value.as_string());
  std::string text;
  append_json(text, value);
  return text;
}

bool contains(std::string_view text, std::string_view lower_case_part) {
  return to_lower(text).find(lower_case_part) != std::string::npos;
}

}  // namespace

std::string words_of(const LogLine& line) {
  std::string text = line.source + " " + line.event;
  for (const auto& [name, value] : fields_of(line)) {
    text += ' ';
    text += name;
    text += '=';
    text += shown(value);
  }
  return text;
}

Result<LogFilter> LogFilter::make(LogWanted wanted) {
  if (wanted.text.size() > kMostText)
    return fail(Errc::invalid, "{} bytes are too many to search for: at most {}",
                wanted.text.size(), kMostText);
  wanted.device = to_lower(trim(wanted.device));
  LogFilter filter(std::move(wanted));
  if (!filter.wanted_.regex || filter.wanted_.text.empty()) {
    filter.wanted_.text = to_lower(filter.wanted_.text);
    return filter;
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_case_sensitive(false);
  // RE2 stops at a quarter of two thirds of this, in steps of 16 bytes, and does not first make
  // tens of thousands of them.
  options.set_max_mem(static_cast<std::int64_t>(kMostProgram) * 16 * 4 * 3 / 2);
  auto made = std::make_shared<const re2::RE2>(filter.wanted_.text, options);
  const bool too_long = made->error_code() == re2::RE2::ErrorPatternTooLarge;
  if (!made->ok() && !too_long) {
    return fail(Errc::invalid,
                "this is no expression: {}. Expressions are those of RE2, without look-around and "
                "back-references",
                made->error());
  }
  if (too_long || made->ProgramSize() > kMostProgram) {
    return fail(Errc::invalid,
                "this expression takes more than the {} steps that are allowed: repeat fewer "
                "times, such as * instead of {{0,999}}",
                kMostProgram);
  }
  filter.expression_ = std::move(made);
  return filter;
}

bool LogFilter::keeps(const LogLine& line) const {
  if (line.level < wanted_.least) return false;
  const auto& component = wanted_.component;
  if (!component.empty() && line.source != component && !line.source.starts_with(component + "/"))
    return false;
  if (!wanted_.device.empty() && !contains(line.source, wanted_.device)) {
    const auto fields = fields_of(line);
    const auto* device = fields.if_contains("device");
    if (device == nullptr || !contains(shown(*device), wanted_.device)) return false;
  }
  if (wanted_.text.empty()) return true;
  const auto text = words_of(line);
  return expression_ ? re2::RE2::PartialMatch(text, *expression_) : contains(text, wanted_.text);
}

void append_json(std::string& out, const LogLine& line) {
  JsonWriter writer(out);
  writer.begin_object().member("seq", line.seq).member("time", to_rfc3339(line.time));
  writer.member("level", to_string(line.level)).member("source", line.source);
  writer.member("event", line.event).key("fields").raw("{" + line.fields + "}");
  writer.end_object();
}

}  // namespace lightship::portal
