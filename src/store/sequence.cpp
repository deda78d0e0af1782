// Reserving and giving sequence numbers.
#include "store/sequence.h"

#include <cerrno>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json_writer.h"

namespace lightship {
namespace {

// One write for so many messages: at one a second a write every quarter of an hour.
constexpr std::uint64_t kReserve = 1000;
constexpr std::size_t kLargestFile = 4 << 20;

}  // namespace

Result<std::unique_ptr<SequenceStore>> SequenceStore::open(std::filesystem::path file,
                                                           Worker& worker, Logbook& logbook) {
  std::unique_ptr<SequenceStore> store(new SequenceStore(file, worker, logbook));
  if (file.empty()) return store;
  auto content = read_file(file, kLargestFile);
  if (!content) {
    if (content.error().detail == ENOENT) return store;
    return fail(content.error());
  }
  boost::system::error_code failed;
  const auto tree = boost::json::parse(*content, failed);
  const auto* all = tree.is_object() ? tree.as_object().if_contains("next") : nullptr;
  if (failed || all == nullptr || !all->is_object()) {
    return fail(Errc::invalid,
                "{} is not a sequence file; move it away to start every sequence at 1 again",
                file.string());
  }
  for (const auto& [key, number] : all->as_object()) {
    if (!number.is_int64() || number.as_int64() < 1) {
      return fail(Errc::invalid, "{}: the number of '{}' is not a whole number above 0",
                  file.string(), std::string_view(key));
    }
    const auto next = static_cast<std::uint64_t>(number.as_int64());
    store->counters_[key] = {next, next - 1};
  }
  return store;
}

Task<Result<std::uint64_t>> SequenceStore::next(std::string key) {
  auto& counter = counters_[key];
  if (counter.next > counter.reserved && !file_.empty()) {
    if (const auto done = co_await reserve(); !done) co_return fail(done.error());
  }
  co_return counter.next++;
}

void SequenceStore::give_back(const std::string& key, std::uint64_t number) {
  auto& counter = counters_[key];
  if (counter.next == number + 1) counter.next = number;
}

Task<void> SequenceStore::prepare(std::vector<std::string> keys) {
  bool any = false;
  for (const auto& key : keys) {
    const auto& counter = counters_[key];
    any = any || counter.next > counter.reserved;
  }
  if (!any || file_.empty()) co_return;
  // Whoever asks for a number then tries again.
  if (const auto done = co_await reserve(); !done) {
    log_.warn("cannot reserve sequence numbers yet", field("why", done.error().text));
  }
}

Task<Result<void>> SequenceStore::reserve() {
  // Numbers are taken while the disk is busy, so the new limits are fixed before and kept
  // afterwards.
  std::map<std::string, std::uint64_t> limits;
  std::string content;
  {
    JsonWriter json(content);
    json.begin_object().key("next").begin_object();
    for (const auto& [key, counter] : counters_) {
      const auto limit = std::max(counter.reserved, counter.next - 1 + kReserve);
      limits[key] = limit;
      json.member(key, limit + 1);
    }
    json.end_object().end_object();
    content += '\n';
  }
  const auto epoch = epoch_;
  auto done =
      co_await worker_.run([file = file_, content] { return write_file_atomic(file, content); });
  if (done && epoch == epoch_) {
    for (const auto& [key, limit] : limits)
      counters_[key].reserved = std::max(counters_[key].reserved, limit);
  }
  co_return done;
}

Task<Result<void>> SequenceStore::close() {
  if (file_.empty() || counters_.empty()) co_return Result<void>{};
  std::string content;
  JsonWriter json(content);
  json.begin_object().key("next").begin_object();
  for (const auto& [key, counter] : counters_) json.member(key, counter.next);
  json.end_object().end_object();
  content += '\n';
  // Whoever goes on after this reserves anew.
  ++epoch_;
  for (auto& [key, counter] : counters_) counter.reserved = counter.next - 1;
  co_return co_await worker_.run(
      [file = file_, content] { return write_file_atomic(file, content); });
}

}  // namespace lightship
