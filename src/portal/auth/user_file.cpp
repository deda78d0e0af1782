// Reads and changes the users' file.
#include "portal/auth/user_file.h"

#include <cerrno>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace lightship::portal {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

// Who holds it writes one small file. One who is stopped in the middle of that must not stop the
// others for ever.
constexpr int kTries = 100;
constexpr auto kBetween = std::chrono::milliseconds(50);

class Lock {
 public:
  static Result<Lock> take(const std::filesystem::path& file) {
    Lock lock(open_owned(file, O_RDWR, 0600));
    if (lock.fd_ < 0)
      return fail(Errc::unavailable, "cannot open {}: {}", file.string(), std::strerror(errno));
    for (int tries = 0; ::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0; ++tries) {
      if (errno != EWOULDBLOCK && errno != EINTR)
        return fail(Errc::unavailable, "cannot lock {}: {}", file.string(), std::strerror(errno));
      if (tries == kTries) {
        return fail(Errc::unavailable, "{} is held by another program for more than 5 s",
                    file.string());
      }
      std::this_thread::sleep_for(kBetween);
    }
    return lock;
  }
  Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Lock& operator=(Lock&&) = delete;
  ~Lock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace

FileMark mark_of(const std::filesystem::path& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return {};
  return {static_cast<std::uint64_t>(found.st_ino), static_cast<std::uint64_t>(found.st_size),
          static_cast<std::uint64_t>(found.st_ctim.tv_sec) * 1'000'000'000U +
              static_cast<std::uint64_t>(found.st_ctim.tv_nsec)};
}

Result<std::optional<UserFile::Content>> UserFile::read() const {
  // The mark first: what changes between the two is then seen as a change.
  const auto mark = mark_of(file_);
  const auto text = read_file(file_, kMostBytes);
  if (!text && text.error().detail == ENOENT) return std::optional<Content>{};
  auto list = text ? users_from_json(*text) : Result<UserList>(fail(text.error()));
  if (!list) {
    return fail(Errc::unavailable,
                "{} cannot be used: {}. Put a copy of it back; or move it away and start the "
                "gateway again, which then makes a first password for admin",
                file_.string(), list.error().text);
  }
  return std::optional(Content{std::move(*list), mark});
}

Result<UserFile::Content> UserFile::change(const Change& change, Missing missing) const {
  const auto lock = Lock::take(file_.string() + ".lock");
  if (!lock) return fail(lock.error());
  return change_locked(change, missing);
}

Result<UserFile::Content> UserFile::change_locked(const Change& change, Missing missing) const {
  auto known = read();
  if (!known) return fail(known.error());
  if (!*known && missing == Missing::is_wrong) {
    return fail(Errc::unavailable,
                "{} is gone. Put it back; or start the gateway again, which then makes a first "
                "password for admin",
                file_.string());
  }
  auto list = *known ? std::move((*known)->list) : UserList{};
  if (auto changed = change(list); !changed) return fail(changed.error());
  if (auto written = write_file_atomic(file_, to_json(list), 0600); !written)
    return fail(written.error());
  return Content{std::move(list), mark_of(file_)};
}

}  // namespace lightship::portal
