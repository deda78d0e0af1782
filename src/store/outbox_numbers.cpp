// Reads and writes the second copy of the counters.
#include "store/outbox_numbers.h"

#include <cerrno>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json_writer.h"

namespace lightship {
namespace {

// One write for so many messages of a device: at one a second, twice in three hours.
constexpr std::uint64_t kAhead = 10'000;
constexpr std::size_t kLargestFile = 16 << 20;

}  // namespace

Result<std::map<std::string, std::uint64_t>> OutboxNumbers::read(const std::filesystem::path& file,
                                                                 std::uint64_t* generation) {
  std::map<std::string, std::uint64_t> next;
  if (file.empty()) return next;
  auto content = read_file(file, kLargestFile);
  if (!content) {
    if (content.error().detail == ENOENT) return next;
    return fail(content.error());
  }
  boost::system::error_code failed;
  const auto tree = boost::json::parse(*content, failed);
  const auto* all = tree.is_object() ? tree.as_object().if_contains("next") : nullptr;
  if (failed || all == nullptr || !all->is_object()) {
    return fail(Errc::invalid, "{} is not a file of sequence numbers", file.string());
  }
  const auto* age = tree.as_object().if_contains("generation");
  if (generation != nullptr && age != nullptr && age->is_int64() && age->as_int64() > 0)
    *generation = static_cast<std::uint64_t>(age->as_int64());
  for (const auto& [key, number] : all->as_object()) {
    if (!number.is_int64() || number.as_int64() < 1) {
      return fail(Errc::invalid, "{}: the number of '{}' is not a whole number above 0",
                  file.string(), std::string_view(key));
    }
    next[key] = static_cast<std::uint64_t>(number.as_int64());
  }
  return next;
}

Result<void> OutboxNumbers::load() {
  generation_ = 0;
  auto found = read(file_, &generation_);
  if (!found) return fail(found.error());
  next_ = std::move(*found);
  return {};
}

bool OutboxNumbers::is_behind(std::uint64_t next, std::uint64_t last) {
  // What a batch gives at once may be missing after a crash; see `cover`.
  constexpr std::uint64_t kBatch = 2'000;
  return last + kAhead + kBatch < next;
}

Result<void> OutboxNumbers::cover(const std::map<std::string, std::uint64_t>& last) {
  if (file_.empty()) return {};
  bool covered = true;
  for (const auto& [name, number] : last) {
    const auto known = next_.find(name);
    // Halfway, so that a disk that takes nothing for a while is no loss of safety.
    covered = covered && known != next_.end() && number + kAhead / 2 < known->second;
  }
  if (covered) return {};
  auto further = next_;
  for (const auto& [name, number] : last) {
    further[name] = std::max(further[name], number + kAhead + 1);
  }
  if (auto written = write(further, generation_); !written) return written;
  next_ = std::move(further);
  return {};
}

Result<void> OutboxNumbers::set_generation(std::uint64_t generation) {
  if (file_.empty()) return {};
  if (auto written = write(next_, generation); !written) return written;
  generation_ = generation;
  return {};
}

Result<void> OutboxNumbers::write(const std::map<std::string, std::uint64_t>& next,
                                  std::uint64_t generation) {
  std::string content;
  JsonWriter json(content);
  json.begin_object();
  if (generation > 0) json.member("generation", generation);
  json.key("next").begin_object();
  for (const auto& [name, number] : next) json.member(name, number);
  json.end_object().end_object();
  content += '\n';
  return write_file_atomic(file_, content);
}

}  // namespace lightship
