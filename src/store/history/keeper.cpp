// Opens, appends, and does what is due.
#include "store/history/keeper.h"

#include "store/history/recover.h"

namespace lightship::history {

using namespace std::chrono_literals;

namespace {

// A look at the file after a kill may take so long; nobody waits for it but the newest values.
constexpr Duration kLook = 10s;
// The journal is compacted when it is this big, or this old.
constexpr std::uint64_t kBigJournal = 16 << 20;
constexpr std::uint64_t kJournalForEachSeries = 1024;
constexpr Millis kOldJournal = window_of(Tier::day);
// Blocks of the last minutes stay: their minute may not be rolled up yet.
constexpr Millis kYoung = 5 * window_of(Tier::minute);
constexpr Millis kLookForOld = window_of(Tier::hour);
// Only a wall clock that ran on for so long without a step may say what is past its time.
constexpr Duration kTrusted = 1h;
constexpr Millis kStep = 5000;

bool is_damage(const Error& error) { return error.code == Errc::malformed; }

}  // namespace

Result<void> Keeper::open(Report& report, Millis now, MonoTime steady) {
  if (unrepaired_ && steady < repair_at_ && !stop_) return fail(*unrepaired_);
  // A log that is left over: the last run did not end by itself.
  std::error_code ignored;
  const bool killed = std::filesystem::exists(settings_.file.string() + "-wal", ignored);
  if (const auto done = finish_repair(settings_.file); !done) return done;
  auto opened = Writer::open(settings_.file);
  if (opened && (killed || damaged_)) {
    const auto wrong = what_is_wrong(opened->database(), kLook, &stop_);
    if (wrong && !wrong->empty()) opened = fail(Errc::malformed, "{}", *wrong);
    if (!wrong) opened = fail(wrong.error());
  }
  if (!opened && is_damage(opened.error())) {
    report.news.push_back(fmt::format("history.db is damaged: {}", opened.error().text));
    damaged_ = true;  // also where the repair fails
    const auto saved = repair(settings_.file, now, &stop_);
    if (!saved) {
      unrepaired_ = saved.error();
      repair_at_ = steady + pauses_.next();
      return fail(saved.error());
    }
    pauses_.reset();
    unrepaired_.reset();
    report.repaired = fmt::format("The history was damaged and is repaired: {}.", saved->text());
    opened = Writer::open(settings_.file);
  }
  if (!opened) return fail(opened.error());
  damaged_ = false;
  if (const auto made = make_up_rollups(opened->database(), now); !made) {
    return fail(made.error());
  } else if (*made > 0) {
    report.news.push_back(
        fmt::format("the last run was killed: {} roll-ups were made up from raw values", *made));
  }
  writer_.emplace(std::move(*opened));
  writer_->refresh_figures();
  report.new_writer = true;
  const auto saved_day = meta(writer_->database(), "written_day", -1);
  if (day_ < 0 && saved_day == now / window_of(Tier::day)) {
    day_ = saved_day;
    written_before_ = static_cast<std::uint64_t>(meta(writer_->database(), "written_bytes", 0));
  }
  return {};
}

void Keeper::account(Millis now) {
  const auto today = now / window_of(Tier::day);
  const auto total = writer_ ? writer_->figures().written : 0;
  if (total < written_since_) written_since_ = 0;
  if (today != day_) {
    day_ = today;
    written_before_ = 0;
    written_since_ = total;
  }
}

void Keeper::watch_clock(Millis now, MonoTime steady) {
  if (!watched_) watched_ = Watched{now, steady, steady};
  const auto passed =
      std::chrono::duration_cast<std::chrono::milliseconds>(steady - watched_->steady).count();
  const auto step = (now - watched_->wall) - passed;
  const bool ran_on = step > -kStep && step < kStep;
  watched_ = Watched{now, steady, ran_on ? watched_->since : steady};
}

// From where retention counts: the newest values that are not of the future. 0, nothing is past its
// time: the clock was set a short while ago, or nothing new was recorded.
Result<Millis> Keeper::old_is_before(Millis now) {
  if (!watched_ || watched_->steady - watched_->since < kTrusted) return 0;
  auto newest = writer_->database().prepare("SELECT max(till) FROM journal WHERE till<=?");
  if (!newest) return fail(newest.error());
  newest->bind(0, now);
  if (const auto row = newest->step(); !row) return fail(row.error());
  return newest->integer(0);
}

Result<void> Keeper::maintain(Report& report, Millis now) {
  if (stop_) return {};
  const auto& figures = writer_->figures();
  const auto big = std::max(kBigJournal, figures.series * kJournalForEachSeries);
  bool due = figures.journal_bytes > big;
  if (!due && now - looked_at_ >= kLookForOld) {
    const auto oldest = writer_->database().integer("SELECT at FROM journal ORDER BY id LIMIT 1");
    if (!oldest) return fail(oldest.error());
    due = *oldest > 0 && now - *oldest > kOldJournal;
  }
  if (due) {
    const auto done = writer_->maintain(
        [&](sqlite::Database& database) { return compact(database, now - kYoung, &stop_); });
    if (!done && done.error().code == Errc::cancelled) return {};
    if (!done) return fail(done.error());
    if (done->damaged > 0)
      report.news.push_back(fmt::format("{} damaged blocks were passed over", done->damaged));
  }
  if (due || now - looked_at_ >= kLookForOld || now < looked_at_) {
    const auto from = old_is_before(now);
    if (!from) return fail(from.error());
    const auto gone = writer_->maintain(
        [&](sqlite::Database& database) { return expire(database, settings_.retention, *from); });
    if (!gone) return fail(gone.error());
    expired_ += *gone;
    writer_->refresh_figures();
    looked_at_ = now;
    if (auto saved = save_figures(); !saved) return saved;
  }
  return {};
}

Result<void> Keeper::save_figures() {
  const auto today = written_before_ + writer_->figures().written - written_since_;
  if (auto done = set_meta(writer_->database(), "written_day", day_); !done) return done;
  return set_meta(writer_->database(), "written_bytes", static_cast<std::int64_t>(today));
}

Keeper::Report Keeper::work(const std::vector<const Batch*>& batches, std::size_t& appended,
                            Millis now, MonoTime steady) {
  Report report;
  watch_clock(now, steady);
  appended = 0;
  if (!writer_) report.done = open(report, now, steady);
  if (writer_ && !report.new_writer) {
    for (const auto* batch : batches) {
      report.done = writer_->append(*batch, &report.levels);
      if (!report.done) break;
      ++appended;
    }
    if (report.done) report.done = maintain(report, now);
  }
  if (!report.done && is_damage(report.done.error())) {
    damaged_ = true;
    writer_.reset();  // the next turn opens, finds the damage and repairs it
  }
  account(now);
  if (writer_) {
    report.figures = writer_->figures();
    report.written_today = written_before_ + report.figures.written - written_since_;
  }
  report.over_budget = settings_.write_budget > 0 && report.written_today > settings_.write_budget;
  report.expired_rows = expired_;
  if (!report.done) report.full = sqlite::is_full(report.done.error());
  return report;
}

Keeper::Report Keeper::close(const Batch& everyone, const std::vector<const Batch*>& batches,
                             std::size_t& appended, Millis now, MonoTime steady) {
  auto report = writer_ ? work(batches, appended, now, steady) : Report{};
  if (!report.done || !writer_) {
    // It was not open yet, or is damaged: one more try, which knows all groups from the start.
    const auto before = std::exchange(appended, 0);
    report = work({}, appended, now, steady);
    std::vector<const Batch*> all{&everyone};
    all.insert(all.end(), batches.begin() + static_cast<std::ptrdiff_t>(before), batches.end());
    std::size_t with_everyone = 0;
    if (report.done && writer_) report = work(all, with_everyone, now, steady);
    appended = before + (with_everyone > 0 ? with_everyone - 1 : 0);
  }
  if (writer_ && report.done) report.done = save_figures();
  writer_.reset();
  return report;
}

}  // namespace lightship::history
