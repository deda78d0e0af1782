// JSON text to a LiveMessage, every member checked.
#include "portal/live/message.h"

#include <boost/json/parse.hpp>

namespace lightship::portal {

namespace json = boost::json;

namespace {

Result<std::string> topic_name(std::string_view name) {
  if (name.empty() || name.size() > LiveMessage::kLongestName)
    return fail(Errc::invalid, "the name of a topic has 1 to {} bytes, not {}",
                LiveMessage::kLongestName, name.size());
  return std::string(name);
}

Result<std::vector<std::string>> names(const json::value& value, std::string_view member) {
  if (!value.is_array()) return fail(Errc::invalid, "'{}' is a list of topics", member);
  const auto& list = value.get_array();
  if (list.size() > LiveMessage::kMostNames)
    return fail(Errc::invalid, "'{}' has {} topics, at most {} are taken at once", member,
                list.size(), LiveMessage::kMostNames);
  std::vector<std::string> found;
  for (const auto& item : list) {
    if (!item.is_string()) return fail(Errc::invalid, "'{}' is a list of texts", member);
    auto name = topic_name({item.get_string().data(), item.get_string().size()});
    if (!name) return fail(name.error());
    found.push_back(std::move(*name));
  }
  return found;
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> places(const json::value& value) {
  if (!value.is_object()) return fail(Errc::invalid, "'resume' is an object of topic and seq");
  const auto& members = value.get_object();
  if (members.size() > LiveMessage::kMostNames)
    return fail(Errc::invalid, "'resume' has {} topics, at most {} are taken at once",
                members.size(), LiveMessage::kMostNames);
  std::vector<std::pair<std::string, std::uint64_t>> found;
  for (const auto& [key, seq] : members) {
    auto name = topic_name({key.data(), key.size()});
    if (!name) return fail(name.error());
    if (!seq.is_int64() || seq.get_int64() < 0)
      return fail(Errc::invalid, "'resume' needs a whole number for '{}'", *name);
    found.emplace_back(std::move(*name), static_cast<std::uint64_t>(seq.get_int64()));
  }
  return found;
}

}  // namespace

Result<LiveMessage> read_live_message(std::string_view text) {
  boost::system::error_code failed;
  json::parse_options strict;
  strict.max_depth = 8;
  const auto value = json::parse({text.data(), text.size()}, failed, {}, strict);
  if (failed) return fail(Errc::invalid, "this is not JSON: {}", failed.message());
  if (!value.is_object()) return fail(Errc::invalid, "a message is a JSON object");
  const auto& members = value.get_object();
  LiveMessage message;
  bool known = false;
  if (const auto* list = members.if_contains("subscribe")) {
    auto found = names(*list, "subscribe");
    if (!found) return fail(found.error());
    message.subscribe = std::move(*found);
    known = true;
  }
  if (const auto* list = members.if_contains("unsubscribe")) {
    auto found = names(*list, "unsubscribe");
    if (!found) return fail(found.error());
    message.unsubscribe = std::move(*found);
    known = true;
  }
  if (const auto* map = members.if_contains("resume")) {
    auto found = places(*map);
    if (!found) return fail(found.error());
    message.resume = std::move(*found);
    known = true;
  }
  if (const auto* ping = members.if_contains("ping")) {
    if (!ping->is_int64()) return fail(Errc::invalid, "'ping' is a whole number");
    message.ping = ping->get_int64();
    known = true;
  }
  if (!known)
    return fail(Errc::invalid, "one of subscribe, unsubscribe, resume and ping was expected");
  return message;
}

}  // namespace lightship::portal
