// The accounts: users, sessions and tokens of this gateway, and the gate that they open.
//
// Portal loop only. Files are read and written on a worker of its own, passwords hashed on another,
// one at a time. `who` touches neither. docs/portal.md tells users what is promised here.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "portal/auth/cookie.h"
#include "portal/auth/gate.h"
#include "portal/auth/lockout.h"
#include "portal/auth/sessions.h"
#include "portal/auth/user_file.h"

namespace lightship::portal {

struct AccountSettings {
  std::filesystem::path data_dir;  // empty: without persistence, a new first password every start
  SessionLimits sessions;
  // There was no user: this one was made, and the password is told here and nowhere else. On the
  // portal's loop, once the file is on disk.
  std::function<void(const std::string& user, const std::string& password)> first_password;
};

class Accounts final : public Gate {
 public:
  static constexpr const char* kFirstUser = "admin";

  Accounts(Clock& clock, Logbook& logbook, AccountSettings settings);
  ~Accounts() override;

  // Reads the files, or makes the first user. To be awaited before anybody is answered; a damaged
  // file is in the log, and nobody can log in until it is mended.
  Task<void> open();
  // Until cancelled: looks once a second whether somebody else has changed the users, ends what has
  // expired, writes what is worth it.
  Task<void> run();
  // Ends the workers, after what was asked of them. The loop must still run, or never again.
  void stop();

  // `ids`: the public ones of all sessions and tokens that have just ended, for whatever reason, or
  // whose user has another role now.
  using TellEnded = std::function<void(const std::vector<std::string>& ids)>;
  void when_ended(TellEnded tell);

  std::optional<Caller> who(const Request& request) override;
  // As this request's connection has them.
  Cookies cookies(const Request& request) const { return {memories_.realm, request.secure}; }

  // ---- logging in and out ----
  struct Login {
    enum class Outcome { in, wrong, locked, busy, broken } outcome = Outcome::wrong;
    Duration wait{};     // locked, or wrong and locked from now on
    std::string cookie;  // in: the secret
    std::string device;  // in: the browser's own secret, new or renewed
    Caller caller;
  };
  // `device`: the secret that this browser showed as its own. It opens nothing (lockout.h).
  Task<Login> login(std::string user, std::string password, asio::ip::address from,
                    std::string user_agent, std::string device = {});
  // False: there is no such session any more. Durable when this returns.
  Task<bool> end_session(std::string id);

  struct NewPassword {
    enum class Outcome { changed, wrong, locked, busy, weak, failed } outcome = Outcome::wrong;
    Duration wait{};
    std::string why;  // weak, failed: a sentence
  };
  // The other sessions and the tokens of the user end.
  Task<NewPassword> change_password(Caller caller, std::string old, std::string fresh,
                                    asio::ip::address from, std::string device = {});

  // ---- what there is ----
  struct UserView {
    std::string name;
    Role role;
    Time created;
    std::optional<Time> last_login, locked_until;
    bool must_change_password;
  };
  std::vector<UserView> users() const;
  bool is_user(std::string_view name) const { return find(name) != nullptr; }
  struct SessionView {
    std::string id, user, address, user_agent;
    Time since, last_seen;
  };
  std::vector<SessionView> sessions() const;  // the newest first
  struct TokenView {
    ApiToken token;
    std::optional<Time> last_used;
  };
  std::vector<TokenView> tokens() const;
  // When this session, or token, ends; nothing: a token that never does.
  std::optional<Time> expires(const Caller& caller) const;
  // Whether it is there still, with no fewer rights: for what lives longer than a request.
  bool is_open(const Caller& caller) const;

  // ---- changes; Errc::invalid: it may not be, with a sentence why ----
  // The password is a first one, which must be changed at the first log-in.
  Task<Result<void>> add_user(std::string name, Role role, std::string password);
  Task<Result<void>> remove_user(std::string name);
  Task<Result<void>> change_user(std::string name, std::optional<Role> role,
                                 std::optional<std::string> password);
  struct MadeToken {
    ApiToken token;
    std::string secret;  // told once
  };
  Task<Result<MadeToken>> add_token(Caller maker, std::string name, Role role,
                                    std::optional<Duration> lasts);
  Task<Result<void>> remove_token(std::string id);

  // So many log-ins wait for their turn to be hashed, the last of them only for who is known.
  static constexpr int kMostWaiting = 8, kMostWaitingUnknown = 6;
  static constexpr std::string_view kTokenHead = "lsp_";

 private:
  MonoTime mono() const { return clock_.mono() + clock_.suspended(); }
  Lockout::Try try_of(const std::string& user, const asio::ip::address& from,
                      const std::string& device) const;
  bool is_device(const std::string& user, std::string_view digest) const;
  std::string remember_device(const std::string& user, const std::string& stamp,
                              std::string secret);
  const User* find(std::string_view name) const { return list_.find(name); }
  Caller caller_of(const User& user, const Session& session) const;

  bool no_room(bool known) const {
    return waiting_ >= (known ? kMostWaiting : kMostWaitingUnknown);
  }
  Task<bool> check(std::string password, std::optional<std::string> hash);
  Task<Result<std::string>> hash(std::string password);
  Task<void> refresh();  // reads the file where it is another than the one that is known
  Task<Result<UserFile::Content>> write(UserFile::Change change, UserFile::Missing missing);
  void apply(UserFile::Content content);
  Task<Result<void>> change(UserFile::Change change);
  void broken(const std::string& why);
  Task<void> make_first_user();
  Task<void> load_sessions();
  Task<bool> save_sessions();
  Task<bool> end_sessions(std::function<bool(const Session&)> which);
  void tell_ended(const std::vector<std::string>& ids);

  Clock& clock_;
  Log log_;
  AccountSettings settings_;
  std::optional<UserFile> file_;  // nothing: without persistence
  Worker files_, hashing_;
  std::vector<TellEnded> tell_ended_;

  UserList list_;
  FileMark mark_;
  std::optional<std::string> broken_;  // the users cannot be read: nobody logs in
  std::unordered_map<std::string, std::size_t> token_by_digest_;  // into list_.tokens
  Sessions sessions_;
  Memories memories_;
  bool tokens_used_ = false;  // since the sessions' file was written
  MonoTime next_save_{};
  Time swept_{};  // tokens that expired before then have been told of
  Lockout lockout_;
  int waiting_ = 0;
};

}  // namespace lightship::portal
