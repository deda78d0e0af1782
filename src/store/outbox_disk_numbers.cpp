// What the outbox file and its second copy of the numbers say of each other.
#include "store/outbox_disk.h"
#include "store/outbox_statements.h"

namespace lightship {

using sqlite::Transaction;

// Numbers of earlier versions are taken over; where the database is new or behind its second copy,
// counting goes on behind that.
Result<void> OutboxDisk::settle_numbers(Found& found, bool lost, bool was_there) {
  if (file_.empty()) return {};
  if (auto loaded = numbers_.load(); !loaded) {
    found.notes.push_back("the second copy of the sequence numbers is not usable: " +
                          loaded.error().text);
  }
  std::map<std::string, std::uint64_t> last;  // by name, as the database has it
  for (const auto& [at, number] : found.sequences) {
    const auto queue = found.queues.find(at.first);
    if (queue != found.queues.end()) last[queue->second.name + "/" + at.second] = number;
  }
  std::map<std::string, std::uint64_t> raised;
  const auto generation = database_->integer("SELECT value FROM meta WHERE name='generation'");
  if (!generation) return fail(generation.error());
  const bool old_copy = static_cast<std::uint64_t>(*generation) < numbers_.generation();
  for (const auto& [name, next] : numbers_.next()) {
    const auto known = last.find(name);
    const std::uint64_t at = known == last.end() ? 0 : known->second;
    if (next - 1 > at && (lost || old_copy || OutboxNumbers::is_behind(next, at)))
      raised[name] = next - 1;
  }
  if (!raised.empty() && found.damage.empty()) {
    found.damage = lost && !was_there ? "outbox.db was gone: what waited in it is lost."
                   : lost             ? "outbox.db was empty: what waited in it is lost."
                                      : "outbox.db is an old copy: what waited since then is lost.";
  }
  if (!raised.empty()) found.damage += " Sequence numbers go on with a gap, none is given twice.";
  std::vector<std::filesystem::path> imported;
  for (const char* name : {"sequence-mqtt.json", "sequences.json"}) {
    const auto old = file_.parent_path() / name;
    if (!std::filesystem::exists(old)) continue;
    auto numbers = OutboxNumbers::read(old);
    if (!numbers) {
      found.notes.push_back("numbers of an earlier version are not taken over: " +
                            numbers.error().text);
      continue;
    }
    for (const auto& [key, next] : *numbers) {
      auto& at = raised[key];
      at = std::max(at, next - 1);
    }
    found.notes.push_back(
        fmt::format("{} sequence numbers taken over from {}", numbers->size(), old.string()));
    imported.push_back(old);
  }
  if (raised.empty() && imported.empty()) return {};
  auto transaction = Transaction::begin(*database_);
  if (!transaction) return fail(transaction.error());
  for (const auto& [name, number] : raised) {
    if (number == 0) continue;
    // "mqtt/main-panel/meter-1": the device's id has one slash, what stands before is the queue.
    const auto client = name.rfind('/');
    const auto connection = client == std::string::npos || client == 0
                                ? std::string::npos
                                : name.rfind('/', client - 1);
    if (connection == std::string::npos) continue;
    const auto queue = name.substr(0, connection), key = name.substr(connection + 1);
    std::int64_t at = 0, most = 0;
    for (const auto& [known, what] : found.queues) {
      most = std::max(most, known);
      if (what.name == queue) at = known;
    }
    if (at == 0) {
      at = most + 1;
      found.queues[at].name = queue;
      statements_->new_queue.bind(0, at).bind(1, std::string_view(queue));
      if (auto done = statements_->new_queue.run(); !done) return done;
    }
    statements_->count.bind(0, at).bind(1, std::string_view(key));
    statements_->count.bind(2, static_cast<std::int64_t>(number));
    if (auto done = statements_->count.run(); !done) return done;
    auto& sequence = found.sequences[{at, key}];
    sequence = std::max(sequence, number);
  }
  if (auto done = transaction->commit(); !done) return done;
  for (const auto& old : imported) {
    std::error_code failed;
    std::filesystem::rename(old, old.string() + ".imported", failed);
  }
  return {};
}

// First the database, which must not be the one that is behind after a cut between both.
void OutboxDisk::begin_generation() {
  if (file_.empty() || !database_) return;
  generation_began_ = steady_now();
  numbered_ = false;
  const auto known = database_->integer("SELECT value FROM meta WHERE name='generation'");
  if (!known) return;
  const auto next = std::max(static_cast<std::uint64_t>(*known), numbers_.generation()) + 1;
  // On a disk that takes nothing all stays as it is: no copy is made of it there either.
  const auto put = database_->execute(
      fmt::format("INSERT OR REPLACE INTO meta(name,value) VALUES('generation',{})", next));
  if (put) (void)numbers_.set_generation(next);
}

}  // namespace lightship
