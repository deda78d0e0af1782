// Appends lines to the audit file, many at once where they come together.
#include "core/audit.h"

#include "base/file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lightship {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> failed(const char* doing, const std::filesystem::path& path) {
  const int why = errno;
  return std::unexpected(Error{
      Errc::unavailable,
      fmt::format("cannot {} the audit file {}: {}", doing, path.string(), std::strerror(why)),
      why});
}

void sync_folder(const std::filesystem::path& file) {
  const auto parent = file.parent_path();
  const Descriptor folder(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
}

// The file, locked, with room for more. Who waited for the lock may find that the file has been
// renamed meanwhile, and looks again.
Result<Descriptor> open_locked(const std::filesystem::path& path, std::uintmax_t most_bytes) {
  for (;;) {
    Descriptor file(open_owned(path, O_WRONLY | O_APPEND, 0600));
    if (file.get() < 0) return failed("open", path);
    while (::flock(file.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return failed("lock", path);
    }
    struct stat ours{}, named{};
    if (::fstat(file.get(), &ours) != 0) return failed("look at", path);
    if (::stat(path.c_str(), &named) != 0 || named.st_ino != ours.st_ino ||
        named.st_dev != ours.st_dev) {
      continue;
    }
    const auto size = static_cast<std::uintmax_t>(ours.st_size);
    if (size < most_bytes) {
      if (size == 0) sync_folder(path);
      return file;
    }
    std::error_code ignored;
    for (int older = AuditFile::kOlder; older >= 1; --older) {
      const auto from =
          older == 1 ? path.string() : path.string() + "." + std::to_string(older - 1);
      std::filesystem::rename(from, path.string() + "." + std::to_string(older), ignored);
    }
  }
}

Result<void> append(const std::filesystem::path& path, std::string_view lines, bool sync,
                    std::uintmax_t most_bytes) {
  auto file = open_locked(path, most_bytes);
  if (!file) return fail(file.error());
  struct stat before{};
  ::fstat(file->get(), &before);
  while (!lines.empty()) {
    const auto put = ::write(file->get(), lines.data(), lines.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      auto error = failed("write", path);
      // Half a line would spoil the next one.
      if (::ftruncate(file->get(), before.st_size) != 0) return error;
      return error;
    }
    lines.remove_prefix(static_cast<std::size_t>(put));
  }
  if (sync && ::fdatasync(file->get()) != 0) return failed("sync", path);
  return {};
}

// No file of ours is larger; of another one the end is looked at.
constexpr std::streamoff kMostReadBack = 4 * static_cast<std::streamoff>(AuditFile::kMostBytes);
constexpr std::string_view kHead = R"({"time":")";

// Lines begin with their time, and times of this form are in order as texts are.
bool is_before(std::string_view line, std::string_view since) {
  return line.starts_with(kHead) && line.substr(kHead.size(), since.size()) < since;
}

struct OldFile {
  std::string name;
  std::ifstream lines;
};

// Nothing: there is none.
Result<std::optional<OldFile>> open_old(const std::string& name, std::string& first) {
  OldFile file{name, std::ifstream(name, std::ios::binary)};
  if (!file.lines) {
    if (errno != ENOENT) return failed("read", name);
    return std::optional<OldFile>{};
  }
  std::getline(file.lines, first);
  if (file.lines.bad()) return failed("read", name);
  file.lines.clear();
  file.lines.seekg(0, std::ios::end);
  const auto size = file.lines.tellg();
  file.lines.seekg(size > kMostReadBack ? size - std::streampos(kMostReadBack) : std::streamoff{0});
  return std::optional(std::move(file));
}

// The older files that cannot be read, each with the reason; an error where the newest cannot be.
Result<std::vector<std::string>> read_lines(const std::filesystem::path& path,
                                            const std::string& since,
                                            const std::function<void(std::string_view)>& take) {
  std::vector<OldFile> files;  // the newest first
  std::vector<std::string> unread;
  for (int older = 0; older <= AuditFile::kOlder; ++older) {
    std::string first;
    auto file =
        open_old(older == 0 ? path.string() : path.string() + "." + std::to_string(older), first);
    if (!file && older == 0) return fail(file.error());
    if (!file) unread.push_back(file.error().text);
    if (!file || !*file) continue;  // a rename may have been cut short
    files.push_back(std::move(**file));
    if (is_before(first, since)) break;
  }
  std::string line;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    while (std::getline(file->lines, line)) {
      if (!is_before(line, since)) take(line);
    }
    if (!file->lines.bad()) continue;
    if (file->name == path) return failed("read", path);
    unread.push_back(failed("read", file->name).error().text);
  }
  return unread;
}

}  // namespace

Task<Result<void>> Audit::record(std::string_view event,
                                 const std::function<void(JsonWriter&)>& members,
                                 Durability durability) {
  std::string line;
  JsonWriter json(line);
  json.begin_object().member("time", to_rfc3339(clock_.now())).member("event", event);
  members(json);
  json.end_object();
  return keep(std::move(line), durability);
}

Task<void> Audit::recall_refusals() {
  if (std::exchange(refusals_recalled_, true)) co_return;
  constexpr Duration kLongAgo = kRefusalsAtOnce * kRefusalEach;
  constexpr std::size_t kMost = 10 * kRefusalsAtOnce;
  const auto now = clock_.now();
  const auto found = std::make_shared<std::vector<Time>>();
  auto reading = read_back(now - kLongAgo, [found, now, kLongAgo](std::string_view line) {
    if (found->size() >= kMost || !line.starts_with(kHead) ||
        line.find(R"("outcome":"refused")") == line.npos)
      return;
    line.remove_prefix(kHead.size());
    const auto at = from_rfc3339(line.substr(0, line.find('"')));
    if (at && *at > now - kLongAgo && *at <= now) found->push_back(*at);
  });
  (void)co_await std::move(reading);  // what cannot be read is not counted
  for (const auto at : *found) refusals_.took(clock_.mono() - (now - at));
}

std::string Audit::next_id() {
  return fmt::format("{:x}-{}", clock_.now().time_since_epoch().count(), ++ids_);
}

// What waits is written in one go by whoever comes first; the others find it done.
struct AuditFile::Pen {
  std::filesystem::path file;
  std::uintmax_t most_bytes;
  std::mutex mutex;
  std::string waiting;
  std::uint64_t handed_in = 0, taken = 0;
  bool unsynced = false;
  Result<void> newest;

  std::uint64_t hand_in(std::string line) {
    const std::lock_guard hold(mutex);
    waiting += line;
    waiting += '\n';
    return ++handed_in;
  }
  Result<void> write(std::uint64_t upto, bool sync) {
    std::string lines;
    {
      const std::lock_guard hold(mutex);
      if (taken < upto) {
        lines.swap(waiting);
        taken = handed_in;
      }
    }
    if (lines.empty() && !(sync && unsynced)) return newest;
    newest = append(file, lines, sync, most_bytes);
    unsynced = !sync && newest.has_value();
    return newest;
  }
};

AuditFile::AuditFile(Clock& clock, Logbook& logbook, std::filesystem::path file,
                     std::uintmax_t most_bytes)
    : Audit(clock), log_(logbook, "audit"), file_(std::move(file)), pen_(std::make_shared<Pen>()) {
  pen_->file = file_;
  pen_->most_bytes = most_bytes;
}

AuditFile::~AuditFile() { stop(); }

void AuditFile::stop() {
  if (worker_) worker_->stop();
}

Task<Result<void>> AuditFile::read_back(Time since, std::function<void(std::string_view)> take) {
  if (file_.empty()) co_return Result<void>{};
  if (!worker_) worker_.emplace();
  auto reading = worker_->run([file = file_, since = to_rfc3339(since), take = std::move(take)] {
    return read_lines(file, since, take);
  });
  const auto unread = co_await std::move(reading);
  if (!unread) co_return fail(unread.error());
  for (const auto& why : *unread)
    log_.warn(
        "an older part of the audit is left out: writes that it alone has bound no further ones",
        field("why", why));
  co_return Result<void>{};
}

Task<Result<void>> AuditFile::keep(std::string line, Durability durability) {
  if (file_.empty()) {
    log_.info("audit", field("line", line));
    co_return Result<void>{};
  }
  if (!worker_) worker_.emplace();
  const bool sync = durability == Durability::synced;
  const auto mine = pen_->hand_in(line);
  auto kept = co_await worker_->run([pen = pen_, mine, sync] { return pen->write(mine, sync); });
  if (!kept && durability == Durability::told) {
    log_.warn("the audit cannot be written, this line of it is here alone", field("line", line),
              field("why", kept.error().text));
    co_return Result<void>{};
  }
  if (!kept)
    log_.error("cannot keep the audit", field("why", kept.error().text));
  else if (!sync)
    worker_->post([pen = pen_, mine] { (void)pen->write(mine, true); });
  co_return kept;
}

}  // namespace lightship
