// Appends batches.
#include "store/history/writer.h"

#include <algorithm>
#include <cstdio>

#include "store/history/recover.h"

namespace lightship::history {

std::uint64_t bytes_written_by_this_thread() {
  std::FILE* file = std::fopen("/proc/thread-self/io", "re");
  if (file == nullptr) return 0;
  unsigned long long bytes = 0;
  char line[128];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "wchar: %llu", &bytes) == 1) break;
  }
  std::fclose(file);
  return bytes;
}

namespace {

// Another unit, or another kind of value. A kind is known only when a value was seen, and a unit
// that was not there may be told later.
bool is_another_quantity(const std::string& unit, Kind kind, const Layout::Member& member) {
  if (!unit.empty() && !member.unit.empty() && unit != member.unit) return true;
  return kind != Kind::gauge && member.kind != Kind::gauge && kind != member.kind;
}

}  // namespace

Result<std::string> Writer::former_name(const std::string& name, const std::string& unit) {
  auto taken = database_.prepare("SELECT 1 FROM series WHERE name=?");
  if (!taken) return fail(taken.error());
  for (int number = 1;; ++number) {
    auto former = name + std::string(1, kFormer) + unit;
    if (number > 1) former += fmt::format("{}{}", kFormer, number);
    taken->bind(0, std::string_view(former));
    const auto found = taken->step();
    if (!found) return fail(found.error());
    if (!*found) return former;
    taken->reset();
  }
}

Result<Writer> Writer::open(const std::filesystem::path& file) {
  auto database = open_for_writing(file);
  if (!database) return fail(database.error());
  return Writer(std::move(*database));
}

Result<Writer::Known> Writer::resolve(const Layout& layout) {
  auto select = database_.prepare("SELECT id, unit, kind FROM series WHERE name=?");
  auto insert = database_.prepare("INSERT INTO series(name, unit, kind) VALUES(?,?,?)");
  auto update = database_.prepare("UPDATE series SET unit=?, kind=? WHERE id=?");
  auto rename = database_.prepare("UPDATE series SET name=? WHERE id=?");
  for (const auto* statement : {&select, &insert, &update, &rename}) {
    if (!*statement) return fail(statement->error());
  }
  Known known;
  for (const auto& member : layout.members) {
    const auto kind = static_cast<std::int64_t>(member.kind);
    select->reset();
    select->bind(0, std::string_view(member.name));
    const auto found = select->step();
    if (!found) return fail(found.error());
    const bool is_other =
        *found && is_another_quantity(std::string(select->text(1)),
                                      static_cast<Kind>(select->integer(2)), member);
    if (is_other) {
      // What was recorded keeps its unit under a name of its own.
      const auto id = select->integer(0);
      const auto former = former_name(member.name, std::string(select->text(1)));
      if (!former) return fail(former.error());
      auto done = rename->bind(0, std::string_view(*former)).bind(1, id).run();
      if (!done) return fail(done.error());
    } else if (*found) {
      known.series.push_back(select->integer(0));
      // A point that was silent at the start may not have shown its kind yet.
      const bool same = (select->text(1) == member.unit || member.unit.empty()) &&
                        (select->integer(2) == kind || member.kind == Kind::gauge);
      if (same) continue;
      auto done = update->bind(0, std::string_view(member.unit))
                      .bind(1, kind)
                      .bind(2, known.series.back())
                      .run();
      if (!done) return fail(done.error());
      continue;
    }
    auto done = insert->bind(0, std::string_view(member.name))
                    .bind(1, std::string_view(member.unit))
                    .bind(2, kind)
                    .run();
    if (!done) return fail(done.error());
    known.series.push_back(database_.last_insert_id());
  }
  const auto members = encode_members(known.series);
  auto same = database_.prepare("SELECT id FROM layout WHERE members=?");
  auto add = database_.prepare("INSERT INTO layout(members) VALUES(?)");
  if (!same) return fail(same.error());
  if (!add) return fail(add.error());
  same->bind(0, Bytes(members));
  const auto found = same->step();
  if (!found) return fail(found.error());
  if (*found) {
    known.layout = same->integer(0);
  } else {
    if (auto done = add->bind(0, Bytes(members)).run(); !done) return fail(done.error());
    known.layout = database_.last_insert_id();
  }
  return known;
}

Result<void> Writer::append(const Batch& batch, std::vector<CounterLevel>* levels) {
  const auto before = bytes_written_by_this_thread();
  auto transaction = sqlite::Transaction::begin(database_);
  if (!transaction) return fail(transaction.error());
  std::map<std::uint32_t, Known> fresh;
  for (const auto& [group, layout] : batch.layouts) {
    auto known = resolve(*layout);
    if (!known) return fail(known.error());
    if (levels != nullptr) {
      if (auto done = find_levels(group, *layout, *known, *levels); !done) return done;
    }
    fresh[group] = std::move(*known);
  }
  const auto find = [&](std::uint32_t group) -> const Known* {
    if (const auto at = fresh.find(group); at != fresh.end()) return &at->second;
    const auto at = layouts_.find(group);
    return at == layouts_.end() ? nullptr : &at->second;
  };
  auto insert =
      database_.prepare("INSERT INTO journal(tier, layout, at, till, blob) VALUES(?,?,?,?,?)");
  if (!insert) return fail(insert.error());
  std::uint64_t bytes = 0;
  for (const auto& block : batch.blocks) {
    const auto* known = find(block.group);
    if (known == nullptr)
      return fail(Errc::invalid, "a block of the unknown group {}", block.group);
    insert->bind(0, static_cast<std::int64_t>(block.tier)).bind(1, known->layout).bind(2, block.at);
    insert->bind(3, block.till).bind(4, Bytes(block.bytes));
    if (auto done = insert->run(); !done) return done;
    bytes += block.bytes.size();
  }
  if (!batch.events.empty()) {
    auto event = database_.prepare(
        "INSERT INTO event(series, at, what, before, after, increase) VALUES(?,?,?,?,?,?)");
    if (!event) return fail(event.error());
    for (const auto& [group, member, what] : batch.events) {
      const auto* known = find(group);
      if (known == nullptr || member >= known->series.size()) continue;
      event->bind(0, known->series[member])
          .bind(1, what.at)
          .bind(2, static_cast<std::int64_t>(what.what));
      event->bind(3, what.before).bind(4, what.after).bind(5, what.increase);
      if (auto done = event->run(); !done) return done;
    }
  }
  if (auto done = transaction->commit(); !done) return done;
  for (auto& [group, known] : fresh) layouts_[group] = std::move(known);
  figures_.journal_bytes += bytes;
  figures_.blocks += batch.blocks.size();
  figures_.written += bytes_written_by_this_thread() - before;
  return {};
}

Result<void> Writer::find_levels(std::uint32_t group, const Layout& layout, const Known& known,
                                 std::vector<CounterLevel>& levels) {
  if (std::ranges::none_of(layout.members,
                           [](const auto& member) { return member.kind == Kind::counter; }))
    return {};
  const auto newest = newest_values(database_, known.layout, known.series);
  if (!newest) return fail(newest.error());
  for (const auto& [member, level] : *newest) {
    if (member < layout.members.size() && layout.members[member].kind == Kind::counter)
      levels.push_back({group, member, level.at, level.value});
  }
  return {};
}

void Writer::refresh_figures() {
  const auto number = [&](std::string_view sql) { return database_.integer(sql).value_or(0); };
  const auto pages = number("PRAGMA page_count") - number("PRAGMA freelist_count");
  figures_.used = static_cast<std::uint64_t>(pages * number("PRAGMA page_size"));
  figures_.series = static_cast<std::uint64_t>(number("SELECT count(*) FROM series"));
  figures_.journal_bytes =
      static_cast<std::uint64_t>(number("SELECT sum(length(blob)) FROM journal"));
  const auto chunk = number("SELECT coalesce(min(start), 0) FROM chunk WHERE tier=0 AND series<0");
  const auto journal = number("SELECT at FROM journal WHERE tier=0 ORDER BY id LIMIT 1");
  figures_.oldest_raw = chunk == 0 ? journal : chunk;
}

}  // namespace lightship::history
