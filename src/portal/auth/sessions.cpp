// Sessions in memory and on disk.
#include "portal/auth/sessions.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "portal/auth/secret.h"

namespace lightship::portal {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMostText = 200, kMostSessions = 5000, kLongestRealm = 16;

// Not stored: who has the cookie can make it, and nobody else.
std::string csrf_of(std::string_view cookie) { return digest_of("csrf " + std::string(cookie)); }

// Its start, as long in the file as it is here: what is no UTF-8 would grow when it is written.
std::string start_of_utf8(std::string_view text, std::size_t most) {
  std::string good;
  while (!text.empty() && good.size() < most) {
    const auto length = utf8_length(text);
    if (length == 0) good += '?';
    if (length > most - good.size()) break;
    good += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return good;
}

// What the steady clock showed then, as far as the wall clock can be believed.
MonoTime mono_of(Time then, Time now, MonoTime mono) {
  constexpr Duration kLongAgo = std::chrono::days(3650);
  return mono - std::clamp(now - then, Duration{}, kLongAgo);
}

Time wall_of(MonoTime then, Time now, MonoTime mono) {
  return now - std::chrono::floor<Duration>(mono - then);
}

// What follows throws what Boost.JSON throws when a member is missing or of another kind.
std::string text_of(const boost::json::object& from, const char* key) {
  const auto& text = from.at(key).as_string();
  if (text.size() > kMostText) throw std::out_of_range(fmt::format("{} is too long", key));
  return std::string(text);
}

Time time_of(const boost::json::value& from) {
  const auto time = from_rfc3339(from.as_string());
  if (!time) throw std::out_of_range("a time is not of the form 2026-01-04T12:34:56.123Z");
  return *time;
}

Session read_session(const boost::json::object& from, Time now, MonoTime mono) {
  Session session;
  session.id = text_of(from, "id");
  if (session.id.empty()) throw std::out_of_range("a session without an id");
  session.user = text_of(from, "user");
  session.stamp = text_of(from, "stamp");
  session.address = text_of(from, "address");
  session.user_agent = text_of(from, "user_agent");
  session.since = time_of(from.at("since"));
  session.began = mono_of(session.since, now, mono);
  session.seen = mono_of(time_of(from.at("seen")), now, mono);
  return session;
}

Memories::OfUser read_user(const boost::json::object& from) {
  Memories::OfUser user{.last_login = time_of(from.at("last_login")), .networks = {}};
  for (const auto& network : from.at("networks").as_array()) {
    if (user.networks.size() < Memories::kMostNetworks && network.as_string().size() <= kMostText)
      user.networks.emplace_back(network.as_string());
  }
  const auto* devices = from.if_contains("devices");
  if (devices == nullptr) return user;
  for (const auto& entry : devices->as_array()) {
    const auto& one = entry.as_object();
    Memories::Device device{text_of(one, "digest"), text_of(one, "stamp"), time_of(one.at("used"))};
    if (!is_secret(device.digest)) throw std::out_of_range("a device's digest is no SHA-256");
    if (user.devices.size() < Memories::kMostDevices) user.devices.push_back(std::move(device));
  }
  return user;
}

// One that is damaged is left out and counted; the others are not to blame for it.
template <class Read>
void read_entry(Memories& memories, Read read) {
  try {
    read();
  } catch (const std::exception&) {
    ++memories.left_out;
  }
}

Memories read_memories(const boost::json::object& top) {
  Memories memories;
  if (const auto* realm = top.if_contains("realm"); realm != nullptr && realm->is_string()) {
    // It becomes part of a header.
    const std::string_view text = realm->get_string();
    if (text.size() <= kLongestRealm && is_id(text)) memories.realm = text;
  }
  for (const auto& [name, entry] : top.at("users").as_object()) {
    if (memories.users.size() >= kMostSessions || !is_id(name)) continue;
    read_entry(memories, [&] { memories.users[std::string(name)] = read_user(entry.as_object()); });
  }
  for (const auto& [id, used] : top.at("tokens").as_object()) {
    if (memories.tokens.size() >= kMostSessions || id.size() > kMostText) continue;
    read_entry(memories, [&] {
      const auto time = time_of(used);
      memories.tokens[std::string(id)] = time;
    });
  }
  return memories;
}

}  // namespace

bool Sessions::over(const Session& session, MonoTime mono) const {
  return mono - session.seen >= limits_.idle || mono - session.began >= limits_.longest;
}

Duration Sessions::left(const Session& session, MonoTime mono) const {
  return std::chrono::floor<Duration>(
      std::min(session.seen + limits_.idle, session.began + limits_.longest) - mono);
}

Sessions::Begun Sessions::begin(std::string user, std::string stamp, std::string address,
                                std::string_view user_agent, Time now, MonoTime mono) {
  Begun begun;
  std::vector<const Session*> of_user;
  for (const auto* one : all()) {
    if (one->user == user) of_user.push_back(one);
  }
  if (of_user.size() >= SessionLimits::kMostOfUser) {
    // The one that was seen longest ago goes.
    const auto oldest = (*std::ranges::min_element(of_user, {}, &Session::seen))->id;
    begun.ended = end_if([&](const Session& one) { return one.id == oldest; });
  }
  begun.cookie = make_secret();
  Session session{.id = make_public_id(),
                  .user = std::move(user),
                  .stamp = std::move(stamp),
                  .csrf = csrf_of(begun.cookie),
                  .address = std::move(address),
                  .user_agent = start_of_utf8(user_agent, kMostText),
                  .since = now,
                  .began = mono,
                  .seen = mono};
  const auto [at, fresh] = by_digest_.emplace(digest_of(begun.cookie), std::move(session));
  begun.session = &at->second;
  by_id_[at->second.id] = &at->second;
  return begun;
}

Session* Sessions::find(std::string_view cookie, MonoTime mono) {
  if (!is_secret(cookie)) return nullptr;
  const auto found = by_digest_.find(digest_of(cookie));
  if (found == by_digest_.end() || over(found->second, mono)) return nullptr;
  auto& session = found->second;
  if (session.csrf.empty()) session.csrf = csrf_of(cookie);
  session.seen = std::max(session.seen, mono);
  // Flash wears: what is on disk may be this much behind, and a session end so much earlier after
  // a restart.
  const auto step = std::min(limits_.idle / 10, Duration(std::chrono::minutes(15)));
  const auto written = written_.find(found->first);
  if (written != written_.end() && session.seen - written->second > step) worth_writing_ = true;
  return &session;
}

const Session* Sessions::by_id(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

Session* Sessions::by_id(std::string_view id) {
  return const_cast<Session*>(std::as_const(*this).by_id(id));
}

std::vector<std::string> Sessions::end_if(const std::function<bool(const Session&)>& which) {
  std::vector<std::string> ended;
  std::erase_if(by_digest_, [&](const auto& one) {
    if (!which(one.second)) return false;
    ended.push_back(one.second.id);
    by_id_.erase(one.second.id);
    written_.erase(one.first);
    return true;
  });
  return ended;
}

void Sessions::index() {
  by_id_.clear();
  for (auto& [digest, session] : by_digest_) by_id_[session.id] = &session;
}

std::vector<std::string> Sessions::expire(MonoTime mono) {
  return end_if([&](const Session& one) { return over(one, mono); });
}

std::vector<const Session*> Sessions::all() const {
  std::vector<const Session*> list;
  for (const auto& [digest, session] : by_digest_) list.push_back(&session);
  std::ranges::sort(list, [](const auto* a, const auto* b) {
    return std::tie(b->since, b->id) < std::tie(a->since, a->id);
  });
  return list;
}

std::string Sessions::to_json(const Memories& memories, Time now, MonoTime mono) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("version", kVersion).member("realm", memories.realm);
  json.key("sessions").begin_array();
  written_.clear();
  for (const auto& [digest, session] : by_digest_) {
    json.begin_object().member("digest", digest).member("id", session.id);
    json.member("user", session.user).member("stamp", session.stamp);
    json.member("address", session.address).member("user_agent", session.user_agent);
    json.member("since", to_rfc3339(session.since));
    json.member("seen", to_rfc3339(wall_of(session.seen, now, mono))).end_object();
    written_[digest] = session.seen;
  }
  worth_writing_ = false;
  json.end_array().key("users").begin_object();
  for (const auto& [name, user] : memories.users) {
    json.key(name).begin_object().member("last_login", to_rfc3339(user.last_login));
    json.key("networks").begin_array();
    for (const auto& network : user.networks) json.value(network);
    json.end_array().key("devices").begin_array();
    for (const auto& device : user.devices) {
      json.begin_object().member("digest", device.digest).member("stamp", device.stamp);
      json.member("used", to_rfc3339(device.used)).end_object();
    }
    json.end_array().end_object();
  }
  json.end_object().key("tokens").begin_object();
  for (const auto& [id, used] : memories.tokens) json.member(id, to_rfc3339(used));
  json.end_object().end_object();
  text += '\n';
  return text;
}

Result<Memories> Sessions::from_json(std::string_view text, Time now, MonoTime mono) {
  boost::system::error_code failed;
  boost::json::parse_options options;
  options.max_depth = 8;
  const auto tree = boost::json::parse(text, failed, {}, options);
  if (failed) return fail(Errc::invalid, "not JSON: {}", failed.message());
  try {
    const auto& top = tree.as_object();
    const auto version = top.at("version").as_int64();
    if (version != kVersion)
      return fail(Errc::invalid, "version {} where {} is known", version, kVersion);
    auto memories = read_memories(top);
    std::unordered_map<std::string, Session> known;
    for (const auto& entry : top.at("sessions").as_array()) {
      read_entry(memories, [&] {
        const auto digest = text_of(entry.as_object(), "digest");
        if (!is_secret(digest)) throw std::out_of_range("a session's digest is no SHA-256");
        auto session = read_session(entry.as_object(), now, mono);
        if (!over(session, mono) && known.size() < kMostSessions)
          known.emplace(digest, std::move(session));
      });
    }
    by_digest_ = std::move(known);
    index();
    written_.clear();
    for (const auto& [digest, session] : by_digest_) written_[digest] = session.seen;
    return memories;
  } catch (const std::exception& wrong) {
    return fail(Errc::invalid, "not what we write: {}", wrong.what());
  }
}

}  // namespace lightship::portal
