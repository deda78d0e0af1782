// The gate, and keeping up with the files.
#include "portal/auth/accounts.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "portal/auth/password.h"
#include "portal/auth/secret.h"

namespace lightship::portal {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMostSessionBytes = 4 << 20;
constexpr auto kLookEvery = 1s;
// Who uses a token all day need not wear out the flash.
constexpr auto kTokenStep = 15min;
constexpr auto kSaveEvery = 1min;

std::filesystem::path sessions_file(const std::filesystem::path& data_dir) {
  return data_dir / "sessions.json";
}

}  // namespace

Accounts::Accounts(Clock& clock, Logbook& logbook, AccountSettings settings)
    : clock_(clock),
      log_(logbook, "portal"),
      settings_(std::move(settings)),
      sessions_(settings_.sessions),
      swept_(clock.now()) {
  if (!settings_.data_dir.empty()) file_.emplace(settings_.data_dir / "users.json");
}

Accounts::~Accounts() { stop(); }

void Accounts::stop() {
  files_.stop();
  hashing_.stop();
}

void Accounts::when_ended(TellEnded tell) { tell_ended_.push_back(std::move(tell)); }

void Accounts::tell_ended(const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  for (const auto& tell : tell_ended_) tell(ids);
}

Task<void> Accounts::open() {
  co_await load_sessions();
  if (memories_.realm.empty()) memories_.realm = make_public_id(4);
  if (file_) {
    auto reading = files_.run([file = *file_] { return file.read(); });
    auto known = co_await std::move(reading);
    if (!known) {
      mark_ = mark_of(file_->path());
      broken(known.error().text);
      co_return;
    }
    if (*known) {
      apply(std::move(**known));
      co_return;
    }
  }
  co_await make_first_user();
}

Task<void> Accounts::make_first_user() {
  const auto password = make_password();
  auto hashing = hash(password);
  auto hashed = co_await std::move(hashing);
  if (!hashed) {
    broken(hashed.error().text);
    co_return;
  }
  auto user = new_user(kFirstUser, Role::admin, std::move(*hashed), clock_.now(), true);
  auto writing = write(
      [user](UserList& list) -> Result<void> {
        // Somebody may have added one meanwhile: then there is no first password.
        return list.users.empty() ? list.add(user) : Result<void>{};
      },
      UserFile::Missing::is_empty);
  auto made = co_await std::move(writing);
  if (!made) {
    broken(made.error().text);
    co_return;
  }
  const auto* first = made->list.find(kFirstUser);
  const bool ours = first != nullptr && first->stamp == user.stamp;
  apply(std::move(*made));
  if (ours && settings_.first_password) settings_.first_password(kFirstUser, password);
}

Task<void> Accounts::run() {
  for (;;) {
    co_await clock_.sleep_for(kLookEvery);
    co_await refresh();
    const auto now = clock_.now();
    auto ended = sessions_.expire(mono());
    for (const auto& token : list_.tokens) {
      if (token.expires && *token.expires <= now && *token.expires > swept_)
        ended.push_back(token.id);
    }
    swept_ = now;
    tell_ended(ended);
    if ((sessions_.worth_writing() || tokens_used_ || !ended.empty()) && mono() >= next_save_) {
      next_save_ = mono() + kSaveEvery;
      co_await save_sessions();
    }
  }
}

std::optional<Caller> Accounts::who(const Request& request) {
  // Of another scheme it is a proxy's before us, which browsers send on with every request.
  if (const auto secret = bearer_of(request.header("authorization"))) {
    if (!secret->starts_with(kTokenHead)) return std::nullopt;
    const auto found = token_by_digest_.find(digest_of(*secret));
    if (found == token_by_digest_.end()) return std::nullopt;
    const auto& token = list_.tokens[found->second];
    const auto* user = find(token.user);
    const auto now = clock_.now();
    if (user == nullptr || (token.expires && *token.expires <= now)) return std::nullopt;
    auto& used = memories_.tokens[token.id];
    if (now - used >= kTokenStep || now < used) tokens_used_ = true;
    used = now;
    return Caller{.user = user->name,
                  .role = std::min(token.role, user->role),
                  .session = {},
                  .token = token.id,
                  .csrf = {},
                  .must_change_password = user->must_change_password};
  }
  const auto cookie = request.cookie(cookies(request).session());
  if (!cookie) return std::nullopt;
  const auto* session = sessions_.find(*cookie, mono());
  if (session == nullptr) return std::nullopt;
  const auto* user = find(session->user);
  if (user == nullptr || user->stamp != session->stamp) return std::nullopt;
  return caller_of(*user, *session);
}

Caller Accounts::caller_of(const User& user, const Session& session) const {
  return {.user = user.name,
          .role = user.role,
          .session = session.id,
          .token = {},
          .csrf = session.csrf,
          .must_change_password = user.must_change_password};
}

// ---- the users' file ----

void Accounts::broken(const std::string& why) {
  if (broken_ != why) log_.error("nobody can log in", field("why", why));
  broken_ = why;
}

Task<void> Accounts::refresh() {
  if (!file_) co_return;
  struct Look {
    FileMark mark;
    std::optional<Result<std::optional<UserFile::Content>>> found;
  };
  auto looking = files_.run([file = *file_, known = mark_] {
    Look look{mark_of(file.path()), {}};
    if (look.mark != known) look.found = file.read();
    return look;
  });
  auto look = co_await std::move(looking);
  if (!look.found) co_return;
  if (!*look.found) {
    mark_ = look.mark;
    broken((*look.found).error().text);
  } else if (!**look.found) {
    mark_ = look.mark;
    broken(fmt::format(
        "{} is gone. Put it back; or start the gateway again, which then makes a first password "
        "for {}",
        file_->path().string(), kFirstUser));
  } else {
    log_.info("users were changed by another program");
    apply(std::move(***look.found));
  }
}

Task<Result<UserFile::Content>> Accounts::write(UserFile::Change change,
                                                UserFile::Missing missing) {
  if (!file_) {
    UserFile::Content content{list_, {}};
    if (auto changed = change(content.list); !changed) co_return fail(changed.error());
    co_return content;
  }
  auto writing = files_.run([file = *file_, change = std::move(change), missing] {
    return file.change(change, missing);
  });
  co_return co_await std::move(writing);
}

Task<Result<void>> Accounts::change(UserFile::Change change) {
  auto writing = write(std::move(change), UserFile::Missing::is_wrong);
  auto written = co_await std::move(writing);
  if (!written) co_return fail(written.error());
  apply(std::move(*written));
  co_return Result<void>{};
}

void Accounts::apply(UserFile::Content content) {
  if (broken_) log_.info("the users can be read again");
  broken_.reset();
  const auto before = std::exchange(list_, std::move(content.list));
  mark_ = content.mark;
  token_by_digest_.clear();
  std::set<std::string> tokens;
  for (std::size_t at = 0; at < list_.tokens.size(); ++at) {
    token_by_digest_[list_.tokens[at].digest] = at;
    tokens.insert(list_.tokens[at].id);
  }
  std::vector<std::string> ended;
  for (const auto& token : before.tokens) {
    if (!tokens.contains(token.id)) ended.push_back(token.id);
  }
  for (const auto& user : before.users) {
    const auto* now = find(user.name);
    if (now == nullptr || now->stamp != user.stamp) {
      lockout_.forget(user.name);
    } else if (now->role != user.role) {
      for (const auto* one : sessions_.all())
        if (one->user == user.name) ended.push_back(one->id);
      for (const auto& token : list_.tokens)
        if (token.user == user.name) ended.push_back(token.id);
    }
  }
  std::ranges::move(sessions_.end_if([this](const Session& one) {
    const auto* user = find(one.user);
    return user == nullptr || user->stamp != one.stamp;
  }),
                    std::back_inserter(ended));
  std::erase_if(memories_.users, [this](const auto& one) { return find(one.first) == nullptr; });
  for (auto& [name, memory] : memories_.users) {
    const auto& stamp = find(name)->stamp;
    std::erase_if(memory.devices, [&](const auto& one) { return one.stamp != stamp; });
  }
  std::erase_if(memories_.tokens, [&](const auto& one) { return !tokens.contains(one.first); });
  if (!list_.users.empty() && !list_.another_admin("")) {
    log_.warn("no user is an administrator: lightship user add NAME --role admin makes one");
  }
  tell_ended(ended);
}

// ---- the sessions' file ----

Task<void> Accounts::load_sessions() {
  if (!file_) co_return;
  auto reading = files_.run(
      [path = sessions_file(settings_.data_dir)] { return read_file(path, kMostSessionBytes); });
  const auto text = co_await std::move(reading);
  if (!text) {
    if (text.error().detail != ENOENT)
      log_.warn("sessions are lost: everybody logs in again", field("why", text.error().text));
    co_return;
  }
  auto memories = sessions_.from_json(*text, clock_.now(), mono());
  if (!memories) {
    log_.warn("sessions are lost: everybody logs in again", field("why", memories.error().text));
    co_return;
  }
  memories_ = std::move(*memories);
  if (memories_.left_out > 0) {
    log_.warn("some sessions are lost: who had them logs in again",
              field("damaged_entries", memories_.left_out));
  }
}

Task<bool> Accounts::save_sessions() {
  tokens_used_ = false;
  if (!file_) co_return true;
  auto saving = files_.run([path = sessions_file(settings_.data_dir),
                            text = sessions_.to_json(memories_, clock_.now(), mono())] {
    auto written = write_file_atomic(path, text, 0600);
    if (!written) {
      // What has ended must not live again after a restart; rather everybody logs in again.
      std::error_code failed;
      std::filesystem::remove(path, failed);
    }
    return written;
  });
  const auto saved = co_await std::move(saving);
  if (!saved) {
    log_.warn("sessions cannot be kept: after a restart everybody logs in again",
              field("why", saved.error().text));
  }
  co_return saved.has_value();
}

// ---- what there is ----

std::vector<Accounts::UserView> Accounts::users() const {
  const auto waits = lockout_.waits(mono());
  std::vector<UserView> all;
  for (const auto& user : list_.users) {
    UserView view{user.name, user.role, user.created, {}, {}, user.must_change_password};
    if (const auto known = memories_.users.find(user.name); known != memories_.users.end())
      view.last_login = known->second.last_login;
    if (const auto wait = waits.find(user.name); wait != waits.end())
      view.locked_until = clock_.now() + wait->second;
    all.push_back(std::move(view));
  }
  return all;
}

std::vector<Accounts::SessionView> Accounts::sessions() const {
  std::vector<SessionView> all;
  const auto mono_now = mono();
  for (const auto* one : sessions_.all()) {
    if (sessions_.left(*one, mono_now) <= Duration{}) continue;
    const auto ago = std::chrono::floor<Duration>(mono_now - one->seen);
    all.push_back(
        {one->id, one->user, one->address, one->user_agent, one->since, clock_.now() - ago});
  }
  return all;
}

std::vector<Accounts::TokenView> Accounts::tokens() const {
  std::vector<TokenView> all;
  for (const auto& token : list_.tokens) {
    const auto used = memories_.tokens.find(token.id);
    all.push_back(
        {token, used == memories_.tokens.end() ? std::nullopt : std::optional(used->second)});
  }
  return all;
}

std::optional<Time> Accounts::expires(const Caller& caller) const {
  for (const auto& token : list_.tokens) {
    if (!caller.token.empty() && token.id == caller.token) return token.expires;
  }
  const auto* session = sessions_.by_id(caller.session);
  if (session == nullptr) return std::nullopt;
  return clock_.now() + sessions_.left(*session, mono());
}

bool Accounts::is_open(const Caller& caller) const {
  const auto* user = find(caller.user);
  if (user == nullptr) return false;
  if (caller.token.empty()) {
    const auto* session = sessions_.by_id(caller.session);
    return session != nullptr && session->stamp == user->stamp && user->role == caller.role &&
           sessions_.left(*session, mono()) > Duration{};
  }
  return std::ranges::any_of(list_.tokens, [&](const ApiToken& one) {
    return one.id == caller.token && std::min(one.role, user->role) == caller.role &&
           (!one.expires || *one.expires > clock_.now());
  });
}

}  // namespace lightship::portal
