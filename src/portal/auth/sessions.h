// The sessions: who is logged in with which browser, how long still, and their form on disk.
//
// A session is known by the SHA-256 of its cookie alone, also here. Portal loop only; quick.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace lightship::portal {

struct SessionLimits {
  Duration idle = std::chrono::hours(12);
  Duration longest = std::chrono::hours(24 * 7);
  static constexpr std::size_t kMostOfUser = 20;
};

struct Session {
  std::string id;           // public
  std::string user, stamp;  // of the user when the session began (users.h)
  std::string csrf;
  std::string address, user_agent;
  Time since{};  // for people; what counts is on the steady clock:
  MonoTime began{}, seen{};
};

// What the house remembers of its users and their tokens beside the sessions.
struct Memories {
  static constexpr std::size_t kMostNetworks = 8, kMostDevices = 16;
  static constexpr Duration kDeviceLasts = std::chrono::days(180);  // since the log-in
  // A browser that was logged in with, by the digest of its own cookie. It opens nothing: wrong
  // passwords from there are counted apart (lockout.h).
  struct Device {
    std::string digest, stamp;  // of the user then: a password from somebody else ends it
    Time used{};
  };
  struct OfUser {
    Time last_login{};
    std::vector<std::string> networks;  // logged in from there before, the newest first
    std::vector<Device> devices{};      // the newest first
  };
  std::string realm;  // which gateway of several at one host name; in the cookies' names
  std::map<std::string, OfUser, std::less<>> users;
  std::map<std::string, Time, std::less<>> tokens;  // last used, by public id
  std::size_t left_out = 0;                         // damaged entries of the file
};

class Sessions {
 public:
  explicit Sessions(SessionLimits limits) : limits_(limits) {}

  struct Begun {
    std::string cookie;  // told once
    const Session* session;
    std::vector<std::string> ended;  // the user had too many
  };
  Begun begin(std::string user, std::string stamp, std::string address, std::string_view user_agent,
              Time now, MonoTime mono);

  // By the cookie; nothing when there is none or it has expired. It is seen by that.
  Session* find(std::string_view cookie, MonoTime mono);
  Session* by_id(std::string_view id);
  const Session* by_id(std::string_view id) const;
  // The public ids of those that are ended by it.
  std::vector<std::string> end_if(const std::function<bool(const Session&)>& which);
  std::vector<std::string> expire(MonoTime mono);
  std::vector<const Session*> all() const;  // the newest first
  std::size_t size() const { return by_digest_.size(); }

  // When it ends if nothing comes any more.
  Duration left(const Session& session, MonoTime mono) const;
  // Since the last `to_json` somebody was seen for so long that it is worth writing.
  bool worth_writing() const { return worth_writing_; }

  std::string to_json(const Memories& memories, Time now, MonoTime mono);
  // Those that have not expired; a damaged one is left out. Errc::invalid: the file is none of
  // ours.
  Result<Memories> from_json(std::string_view text, Time now, MonoTime mono);

 private:
  bool over(const Session& session, MonoTime mono) const;

  SessionLimits limits_;
  void index();

  std::unordered_map<std::string, Session> by_digest_;
  std::unordered_map<std::string_view, Session*> by_id_;  // into by_digest_
  std::unordered_map<std::string, MonoTime> written_;     // `seen` as it is on disk, by digest
  bool worth_writing_ = false;
};

}  // namespace lightship::portal
