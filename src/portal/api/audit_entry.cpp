// One line of the audit in words.
#include <boost/asio/ip/address.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.h"
#include "base/value.h"
#include "portal/api/audit.h"

namespace lightship::portal {
namespace {

using boost::json::object;

std::string shown(const boost::json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  std::string text;
  if (value.is_double()) append_number(text, Real{value.get_double(), Real::kShortest});
  return text.empty() ? boost::json::serialize(value) : text;
}

std::string text(const object& line, std::string_view name) {
  const auto* found = line.if_contains(name);
  return found == nullptr ? "" : shown(*found);
}

// "admin 192.0.2.7" is a person at an address; other things that write say who they are in more
// words.
void split_by(AuditEntry& entry, std::string by) {
  const auto words = split(by, ' ');
  boost::system::error_code none;
  if (words.size() == 2) {
    asio::ip::make_address(std::string(words[1]), none);
    if (!none) {
      entry.user = words[0];
      entry.address = words[1];
      return;
    }
  }
  entry.user = std::move(by);
}

std::string of_write(const object& line) {
  auto detail = text(line, "device");
  if (const auto point = text(line, "point"); !point.empty())
    detail += "/" + point;
  else if (const auto at = text(line, "at"); !at.empty())
    detail += fmt::format(" {} at {}, {} of them", text(line, "space"), at, text(line, "count"));
  const auto fresh = line.contains("new") ? text(line, "new") : text(line, "new_raw");
  const auto old = line.contains("old") ? text(line, "old") : text(line, "old_raw");
  if (!old.empty())
    detail += fmt::format(": {} -> {}", old, fresh);
  else if (!fresh.empty())
    detail += fmt::format(" -> {}", fresh);
  detail += text(line, "state") == "asked" ? ", asked" : ", " + text(line, "outcome");
  if (const auto error = text(line, "error"); !error.empty()) detail += ": " + error;
  return detail;
}

// What else the line says: "about anna, role viewer".
std::string of_others(const object& line) {
  std::string detail;
  for (const auto& [name, value] : line) {
    if (name == "time" || name == "event" || name == "user" || name == "address" || name == "by")
      continue;
    if (!detail.empty()) detail += ", ";
    if (name != "about") {
      for (const char c : name) detail += c == '_' ? ' ' : c;
      detail += ' ';
    }
    detail += shown(value);
  }
  return detail;
}

}  // namespace

std::optional<AuditEntry> audit_entry(std::string_view line) {
  constexpr std::size_t kLongestDetail = 500;
  boost::system::error_code failed;
  boost::json::parse_options options;
  options.max_depth = 8;
  const auto parsed = boost::json::parse(line, failed, {}, options);
  if (failed || !parsed.is_object()) return std::nullopt;
  const auto& members = parsed.get_object();
  AuditEntry entry;
  entry.time = text(members, "time");
  entry.event = text(members, "event");
  if (entry.time.empty() || entry.event.empty()) return std::nullopt;
  entry.user = text(members, "user");
  entry.address = text(members, "address");
  if (members.contains("by")) split_by(entry, text(members, "by"));
  entry.detail =
      start_of(entry.event == "write" ? of_write(members) : of_others(members), kLongestDetail);
  return entry;
}

}  // namespace lightship::portal
