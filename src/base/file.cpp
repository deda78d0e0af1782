// Whole small files.
#include "base/file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lightship {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  bool close() {
    if (fd_ < 0) return true;
    return ::close(std::exchange(fd_, -1)) == 0;
  }

 private:
  int fd_;
};

std::unexpected<Error> failed(const char* doing, const std::filesystem::path& path) {
  const int why = errno;
  Error error{Errc::unavailable,
              fmt::format("cannot {} {}: {}", doing, path.string(), std::strerror(why)), why};
  return std::unexpected(std::move(error));
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed("read", path);
  std::string content;
  char part[16384];
  for (;;) {
    const auto got = ::read(file.get(), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", path);
    if (got == 0) return content;
    content.append(part, static_cast<std::size_t>(got));
    if (content.size() > limit) {
      return fail(Errc::invalid, "{} is larger than {} bytes", path.string(), limit);
    }
  }
}

Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view content,
                               unsigned mode) {
  const std::filesystem::path beside = path.string() + ".new";
  // What a crash left there may have another mode and owner, or be a link that somebody has laid.
  ::unlink(beside.c_str());
  Descriptor file(open_owned(beside, O_WRONLY | O_TRUNC, mode));
  if (file.get() < 0) return failed("write", beside);
  while (!content.empty()) {
    const auto put = ::write(file.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed("write", beside);
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(file.get()) != 0) return failed("sync", beside);
  if (!file.close()) return failed("close", beside);
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed("rename to", path);
  const auto parent = path.parent_path();
  Descriptor folder(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
  return {};
}

namespace {

// What is there already: a file, and no link or pipe that the folder's owner has laid for root.
int open_known(const std::filesystem::path& path, int flags) {
  Descriptor known(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (known.get() < 0) return -1;
  struct stat what{};
  if (::fstat(known.get(), &what) != 0) return -1;
  if (!S_ISREG(what.st_mode)) {
    errno = S_ISDIR(what.st_mode) ? EISDIR : EINVAL;
    return -1;
  }
  return known.release();
}

}  // namespace

int open_owned(const std::filesystem::path& path, int flags, unsigned mode) {
  // Only what was made here is given away: O_EXCL follows no link that somebody has laid.
  constexpr int kTries = 10;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    Descriptor made(::open(path.c_str(), flags | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (made.get() >= 0) {
      const auto parent = path.parent_path();
      struct stat folder{};
      if (::geteuid() == 0 && ::stat(parent.empty() ? "." : parent.c_str(), &folder) == 0 &&
          ::fchown(made.get(), folder.st_uid, folder.st_gid) != 0) {
        return -1;
      }
      return made.release();
    }
    if (errno != EEXIST) return -1;
    const int known = open_known(path, flags);
    if (known >= 0 || errno != ENOENT) return known;  // somebody took it away meanwhile
  }
  return -1;
}

}  // namespace lightship
