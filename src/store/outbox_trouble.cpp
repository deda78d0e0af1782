// What the outbox file tells of a disk that takes nothing, and of messages that are lost.
#include "base/text.h"
#include "store/outbox_file.h"

namespace lightship {
namespace {

// Others of the house write to the same disk and raise the same rules.
constexpr const char* kPoint = "outbox";

}  // namespace

void OutboxFile::lost_the_disk(const Error& error) {
  ++refusals_;
  const bool full = sqlite::is_full(error);
  const bool damaged = error.code == Errc::malformed;
  const auto pause = disk_->waits_for_salvage()    ? patience_.next()
                     : damaged && trouble_.empty() ? Duration{}
                                                   : backoff_.next();
  quiet_until_ = steady_now() + pause;
  // A full file goes on as it is; anything else is opened anew, which finds out what is wrong.
  if (!full) open_ = false;
  if (!damaged) {
    const std::string beyond = "new messages wait in memory, and what is beyond that is not made. ";
    raise_trouble(full ? "disk-full" : "disk-failing",
                  full ? fmt::format("The disk of the data directory is full ({}): {}Make room on "
                                     "it; nothing else needs to be done.",
                                     error.text, beyond)
                       : fmt::format("The outbox cannot be written ({}): {}Look at the disk of the "
                                     "data directory; it is tried again by itself.",
                                     error.text, beyond));
  }
  log_.error(full ? "the disk is full" : "the outbox file cannot be used", field("why", error.text),
             field("again_in", for_people(pause)));
  if (!busy_) arm(quiet_until_);
}

// The commit found its room in what was kept for this.
void OutboxFile::tell_full() {
  backoff_.reset();
  quiet_until_ = MonoTime::min();
  if (trouble_ == "disk-full") return;
  const std::string text =
      "The disk of the data directory is full. Messages are sent as long as the receiver takes "
      "them "
      "at once, from room that was kept for this; more than that cannot wait. Make room on it.";
  log_.error("the disk is full", field("what", text));
  raise_trouble("disk-full", text);
}

void OutboxFile::raise_trouble(const std::string& rule, std::string text) {
  if (!trouble_.empty() && trouble_ != rule) alerts_.clear(trouble_, kPoint);
  trouble_ = rule;
  Alert alert;
  alert.rule = rule;
  alert.point = kPoint;
  alert.severity = Alert::Severity::critical;
  alert.text = std::move(text);
  alerts_.raise(std::move(alert));
}

void OutboxFile::tell_well() {
  backoff_.reset();
  quiet_until_ = MonoTime::min();
  // Also what an earlier run has raised.
  for (const char* rule : {"disk-full", "disk-failing"}) alerts_.clear(rule, kPoint);
  if (trouble_.empty()) return;
  log_.info("the disk takes messages again", field("waiting_in_memory", fresh_.size()));
  trouble_.clear();
}

void OutboxFile::tell_overflow() {
  std::uint64_t dropped = lost_unclaimed_, thinned = 0;
  std::string who;
  for (const auto& [name, queue] : queues_) {
    dropped += queue->dropped_;
    thinned += queue->thinned_;
    if (queue->dropped_ + queue->thinned_ > 0) who += (who.empty() ? "" : ", ") + name;
  }
  if (dropped + thinned > lost_told_) {
    lost_told_ = dropped + thinned;
    Alert alert;
    alert.rule = "outbox-full";
    alert.severity = Alert::Severity::critical;
    alert.value = Value(dropped + thinned);
    alert.threshold = Value(settings_.max_size.bytes);
    alert.text = fmt::format(
        "The outbox has reached its limit of {} MB: {} dropped, the oldest first, and {} left out "
        "by thinning since the start ({}). Look why the receiver does not take them, or raise "
        "communication.outbox.max_size.",
        settings_.max_size.bytes / 1'000'000, counted(dropped, "message"), thinned, who);
    log_.error("the outbox is full, messages are lost", field("dropped", dropped),
               field("thinned", thinned), field("of", who));
    alerts_.raise(std::move(alert));
    overflowing_ = true;
  } else if (overflowing_ && bytes() < settings_.max_size.bytes / 5 * 4) {
    overflowing_ = false;
    alerts_.clear("outbox-full");
  }
}

}  // namespace lightship
