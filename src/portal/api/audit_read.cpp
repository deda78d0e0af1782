// Lines of the audit's files, backwards and with a bound.
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/audit.h"
#include "portal/api/audit.h"

namespace lightship::portal {
namespace {

constexpr std::size_t kMostBytes = 4 << 20;
constexpr std::size_t kChunk = 64 << 10;

class Part {
 public:
  explicit Part(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    why_ = fd_ < 0 ? errno : 0;
    struct stat found{};
    if (fd_ >= 0 && ::fstat(fd_, &found) == 0) {
      inode = found.st_ino;
      size = static_cast<std::uint64_t>(found.st_size);
    }
  }
  ~Part() {
    if (fd_ >= 0) ::close(fd_);
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  bool is_open() const { return fd_ >= 0; }
  int why() const { return why_; }
  // The bytes before `end`, at most a chunk.
  std::string before(std::uint64_t end) const {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(end, kChunk));
    std::string bytes(count, '\0');
    const auto got = ::pread(fd_, bytes.data(), count, static_cast<off_t>(end - count));
    // Cut short meanwhile: what is not there any more ends the reading.
    if (got != static_cast<ssize_t>(count)) bytes.clear();
    return bytes;
  }

  std::uint64_t inode = 0, size = 0;

 private:
  int fd_, why_;
};

struct Place {
  std::uint64_t inode = 0, offset = 0;
};

std::optional<Place> parse_place(std::string_view text) {
  Place place;
  const auto* end = text.data() + text.size();
  const auto [dash, wrong] = std::from_chars(text.data(), end, place.inode);
  if (wrong != std::errc{} || dash == end || *dash != '-') return std::nullopt;
  const auto [last, bad] = std::from_chars(dash + 1, end, place.offset);
  if (bad != std::errc{} || last != end) return std::nullopt;
  return place;
}

class Reading {
 public:
  Reading(AuditPage& page, std::size_t limit) : page_(page), limit_(limit) {}

  // The lines that end before `end`, the last first. False: enough for one call.
  bool read(const Part& part, std::uint64_t end) {
    std::string tail;          // of a line whose beginning is not yet read
    std::uint64_t upto = end;  // of the file: `tail` begins there
    // What stands behind the last line feed is being written just now.
    bool whole = false;
    while (upto > 0) {
      if (left_ == 0) return stop(part, upto + tail.size() + (whole ? 1 : 0));
      auto bytes = part.before(upto);
      if (bytes.empty()) return true;
      left_ -= std::min(left_, bytes.size());
      const auto begin = upto - bytes.size();
      bytes += tail;
      for (;;) {
        const auto feed = bytes.rfind('\n');
        if (feed == std::string::npos) break;
        if (whole && !take(part, begin + feed + 1, std::string_view(bytes).substr(feed + 1)))
          return false;
        whole = true;
        bytes.resize(feed);
      }
      tail = std::move(bytes);
      // A line that long is none of ours.
      if (tail.size() > kMostBytes / 4) tail.clear();
      upto = begin;
    }
    return !whole || take(part, 0, tail);
  }

 private:
  bool take(const Part& part, std::uint64_t offset, std::string_view line) {
    auto entry = audit_entry(line);
    if (!entry) return true;
    if (page_.entries.size() == limit_) {
      page_.next = page_.entries.back().id;
      return false;
    }
    entry->id = fmt::format("{}-{}", part.inode, offset);
    page_.entries.push_back(std::move(*entry));
    return true;
  }
  bool stop(const Part& part, std::uint64_t at) {
    page_.next = fmt::format("{}-{}", part.inode, at);
    return false;
  }

  AuditPage& page_;
  std::size_t limit_, left_ = kMostBytes;
};

}  // namespace

Result<AuditPage> read_audit(const std::filesystem::path& file, const std::string& after,
                             std::size_t limit) {
  std::optional<Place> place;
  if (!after.empty() && !(place = parse_place(after)))
    return fail(Errc::invalid, "after is what `next` of an answer said.");
  AuditPage page;
  Reading reading(page, limit);
  for (int older = 0; older <= AuditFile::kOlder; ++older) {
    const auto name = older == 0 ? file.string() : file.string() + "." + std::to_string(older);
    const Part part(name);
    if (!part.is_open()) {
      if (part.why() == ENOENT) continue;
      return fail(Errc::unavailable, "cannot read {}: {}", name, std::strerror(part.why()));
    }
    auto end = part.size;
    if (place) {
      if (part.inode != place->inode) continue;
      end = std::min(end, place->offset);
      place.reset();
    }
    if (!reading.read(part, end)) return page;
  }
  if (place) return fail(Errc::invalid, "That part of the audit is gone; begin with the newest.");
  return page;
}

}  // namespace lightship::portal
