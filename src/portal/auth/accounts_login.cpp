// Logging in and out, and changing one's own password.
#include <algorithm>

#include "base/text.h"
#include "portal/auth/accounts.h"
#include "portal/auth/password.h"
#include "portal/auth/secret.h"

namespace lightship::portal {

static_assert(UserList::kMostUsers * (1 + Memories::kMostNetworks + Memories::kMostDevices) <=
              Lockout::kMostBudgets);

Lockout::Try Accounts::try_of(const std::string& user, const asio::ip::address& from,
                              const std::string& device) const {
  // Whatever else was typed is one account that does not exist.
  Lockout::Try attempt{is_id(user) ? user : "", network_of(from), from.to_string(), false,
                       find(user) != nullptr};
  if (const auto known = memories_.users.find(user); known != memories_.users.end())
    attempt.known = std::ranges::count(known->second.networks, attempt.network) > 0;
  if (is_secret(device)) {
    if (auto digest = digest_of(device); is_device(user, digest))
      attempt.device = std::move(digest);
  }
  return attempt;
}

bool Accounts::is_device(const std::string& user, std::string_view digest) const {
  const auto* now = find(user);
  const auto memory = memories_.users.find(user);
  if (now == nullptr || memory == memories_.users.end()) return false;
  return std::ranges::any_of(memory->second.devices, [&](const Memories::Device& one) {
    return one.digest == digest && one.stamp == now->stamp &&
           clock_.now() - one.used < Memories::kDeviceLasts;
  });
}

// One browser has one secret, also where several people use it: each of them logged in with it.
std::string Accounts::remember_device(const std::string& user, const std::string& stamp,
                                      std::string secret) {
  auto digest = is_secret(secret) ? digest_of(secret) : "";
  const bool ours = std::ranges::any_of(
      list_.users, [&](const User& one) { return is_device(one.name, digest); });
  // What we did not make, or no longer know, somebody else may have put there.
  if (!ours) {
    secret = make_secret();
    digest = digest_of(secret);
  }
  auto& devices = memories_.users[user].devices;
  std::erase_if(devices, [&](const auto& one) { return one.digest == digest; });
  devices.insert(devices.begin(), {std::move(digest), stamp, clock_.now()});
  if (devices.size() > Memories::kMostDevices) devices.pop_back();
  return secret;
}

Task<bool> Accounts::check(std::string password, std::optional<std::string> hash) {
  ++waiting_;
  if (password.size() > kLongestPassword) hash.reset();
  password.resize(std::min(password.size(), kLongestPassword));
  auto checking = hashing_.run([password = std::move(password), hash = std::move(hash)] {
    return is_password(password, hash);
  });
  const bool right = co_await std::move(checking);
  --waiting_;
  co_return right;
}

Task<Result<std::string>> Accounts::hash(std::string password) {
  ++waiting_;
  auto hashing = hashing_.run([password = std::move(password)] { return hash_password(password); });
  auto hashed = co_await std::move(hashing);
  --waiting_;
  co_return hashed;
}

Task<Accounts::Login> Accounts::login(std::string user, std::string password,
                                      asio::ip::address from, std::string user_agent,
                                      std::string device) {
  using enum Login::Outcome;
  Login answer;
  co_await refresh();
  if (broken_) {
    answer.outcome = broken;
    co_return answer;
  }
  const auto attempt = try_of(user, from, device);
  if (const auto wait = lockout_.wait_for(attempt, mono())) {
    answer.outcome = locked;
    answer.wait = *wait;
    co_return answer;
  }
  if (no_room(attempt.known)) {
    answer.outcome = busy;
    co_return answer;
  }
  lockout_.begin(attempt, mono());
  std::optional<std::string> hash;
  std::string stamp;
  if (const auto* known = find(user)) {
    hash = known->hash;
    stamp = known->stamp;
  }
  auto checking = check(std::move(password), std::move(hash));
  const bool right = co_await std::move(checking);
  const auto* known = find(user);
  // Removed, or with another password, while it was checked.
  if (!right || known == nullptr || known->stamp != stamp) {
    answer.outcome = wrong;
    answer.wait = lockout_.wait_for(attempt, mono()).value_or(Duration{});
    co_return answer;
  }
  lockout_.was_right(attempt, mono());
  auto& memory = memories_.users[user];
  memory.last_login = clock_.now();
  std::erase(memory.networks, attempt.network);
  memory.networks.insert(memory.networks.begin(), attempt.network);
  if (memory.networks.size() > Memories::kMostNetworks) memory.networks.pop_back();
  auto begun = sessions_.begin(user, stamp, from.to_string(), user_agent, clock_.now(), mono());
  answer.outcome = in;
  answer.cookie = std::move(begun.cookie);
  answer.device = remember_device(user, stamp, std::move(device));
  answer.caller = caller_of(*known, *begun.session);
  tell_ended(begun.ended);
  co_await save_sessions();
  co_return answer;
}

Task<bool> Accounts::end_sessions(std::function<bool(const Session&)> which) {
  const auto ended = sessions_.end_if(which);
  if (ended.empty()) co_return false;
  tell_ended(ended);
  co_await save_sessions();
  co_return true;
}

Task<bool> Accounts::end_session(std::string id) {
  auto ending = end_sessions([id = std::move(id)](const Session& one) { return one.id == id; });
  co_return co_await std::move(ending);
}

Task<Accounts::NewPassword> Accounts::change_password(Caller caller, std::string old,
                                                      std::string fresh, asio::ip::address from,
                                                      std::string device) {
  using enum NewPassword::Outcome;
  NewPassword answer;
  co_await refresh();
  const auto* user = find(caller.user);
  if (user == nullptr || broken_) {
    answer.outcome = failed;
    answer.why = "The users' file cannot be read; the log says why.";
    co_return answer;
  }
  if (const auto weakness = weakness_of(fresh, caller.user)) {
    answer.outcome = weak;
    answer.why = *weakness;
    co_return answer;
  }
  const auto attempt = try_of(caller.user, from, device);
  if (const auto wait = lockout_.wait_for(attempt, mono())) {
    answer.outcome = locked;
    answer.wait = *wait;
    co_return answer;
  }
  if (no_room(attempt.known)) {
    answer.outcome = busy;
    co_return answer;
  }
  lockout_.begin(attempt, mono());
  const auto stamp = user->stamp;
  auto checking = check(old, user->hash);
  if (!co_await std::move(checking)) {
    answer.wait = lockout_.wait_for(attempt, mono()).value_or(Duration{});
    co_return answer;
  }
  lockout_.was_right(attempt, mono());
  if (fresh == old) {
    answer.outcome = weak;
    answer.why = "That is the password you have: choose another.";
    co_return answer;
  }
  auto hashing = hash(std::move(fresh));
  auto hashed = co_await std::move(hashing);
  answer.outcome = failed;
  if (!hashed) {
    answer.why = hashed.error().text;
    co_return answer;
  }
  auto writing = write(
      [name = caller.user, hash = *hashed, stamp](UserList& list) -> Result<void> {
        const auto* now = list.find(name);
        if (now == nullptr || now->stamp != stamp)
          return fail(Errc::invalid, "Somebody else has changed the password meanwhile.");
        return list.set_password(name, hash, false);
      },
      UserFile::Missing::is_wrong);
  auto written = co_await std::move(writing);
  if (!written) {
    answer.why = written.error().text;
    log_.error("a password cannot be changed", field("user", caller.user),
               field("why", written.error().text));
    co_return answer;
  }
  // Its own session goes on, and the browsers stay known: it was the owner.
  const auto fresh_stamp = written->list.find(caller.user)->stamp;
  if (auto* session = sessions_.by_id(caller.session)) session->stamp = fresh_stamp;
  if (const auto memory = memories_.users.find(caller.user); memory != memories_.users.end()) {
    for (auto& one : memory->second.devices) {
      if (one.stamp == stamp) one.stamp = fresh_stamp;
    }
  }
  apply(std::move(*written));
  co_await save_sessions();
  answer.outcome = changed;
  co_return answer;
}

}  // namespace lightship::portal
