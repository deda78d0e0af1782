// The outbox: what sinks still have to deliver, durable, one queue a sink: DATA_DIR/outbox.db.
//
// A message is given its `sequence` (one more per key, from 1, for ever) in the same commit that
// puts it on disk, and is offered for sending only after that commit: a number is never given twice
// and none is skipped, whatever ends the program. It leaves when it is acknowledged; an
// acknowledgement that a crash forgets means that it is sent again (at least once). Alarms go
// before measurements; within a lane the order is that of queueing.
//
// Commits are grouped: one at most every `commit_every`, or when enough waits. They run on a thread
// of the file's own. A full or failing disk is told on the board of alerts and tried again with
// pauses; what is pushed meanwhile waits in bounded memory.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/worker.h"
#include "config/outbox_settings.h"
#include "core/backoff.h"
#include "core/context.h"
#include "store/outbox_ages.h"
#include "store/outbox_disk.h"
#include "store/outbox_queue.h"

namespace lightship {

class OutboxFile : public std::enable_shared_from_this<OutboxFile> {
 public:
  using Settings = config::OutboxSettings;

  // The house's one file: opened by the first who asks, shared through
  // Context::heirlooms["outbox"], closed with the house. Without a data directory it is kept in
  // memory.
  static std::shared_ptr<OutboxFile> of(Context& context, const Settings& settings);
  static std::shared_ptr<OutboxFile> open(Context& context, std::filesystem::path file,
                                          const Settings& settings);
  ~OutboxFile();  // commits what waits
  OutboxFile(const OutboxFile&) = delete;
  OutboxFile& operator=(const OutboxFile&) = delete;

  // "mqtt", "http/electrical", "http/electrical/alerts". The same queue for the same name.
  std::shared_ptr<OutboxQueue> queue(const std::string& sink);

  Task<void> flush(Duration limit);

  // For a person, while the gateway runs; see outbox_hand.h. A queue that a sink delivers from now
  // is not discarded.
  Task<Result<OutboxHandiwork>> retry(std::string queue, std::int64_t id);
  Task<Result<OutboxHandiwork>> discard(std::string queue);

  // Messages pushed so far, and how many of these, from the first, are on disk or known to be lost.
  std::uint64_t pushed() const { return pushed_; }
  std::uint64_t settled() const;

  std::size_t bytes() const;  // over all queues
  bool failing() const { return !trouble_.empty(); }

 private:
  friend class OutboxQueue;
  OutboxFile(Context& context, std::filesystem::path file, const Settings& settings);

  // What the queues ask.
  bool push(OutboxQueue& queue, OutboxMessage message);
  void remove(OutboxQueue& queue, Lane lane, std::uint64_t id);
  void set_aside(OutboxQueue& queue, Lane lane, std::uint64_t id, std::string reason);
  void load(OutboxQueue& queue, Lane lane, std::uint64_t after, std::size_t most,
            std::size_t most_bytes);

  using Work = std::function<Result<OutboxHandiwork>(sqlite::Database&, std::uint64_t last_id)>;
  Task<Result<OutboxHandiwork>> by_hand(Work work, std::uint64_t ids);
  Task<bool> news(MonoTime until);  // waits for the next notify(); false: it did not come in time
  void change(const Settings& settings);
  OutboxDisk::Batch known() const;
  void begin_open();
  void opened(Result<OutboxDisk::Found> found);
  void adopt(OutboxDisk::Found found);
  void claim(OutboxQueue& queue);
  bool clean_but_for_answers() const;
  void something_waits();
  void arm(MonoTime when);
  void take_batch();
  void take_removals();
  void begin_commit();
  void make_room();
  void committed(OutboxDisk::Outcome outcome);
  void count_trimmed(const OutboxDisk::Trimmed& gone);
  void lost_the_disk(const Error& error);
  void raise_trouble(const std::string& rule, std::string text);
  void tell_full();
  void tell_well();
  void tell_overflow();
  void notify();

  asio::any_io_executor executor_;
  Clock& clock_;
  Log log_;
  Alerts& alerts_;
  Metrics& metrics_;
  Settings settings_;
  std::shared_ptr<OutboxDisk> disk_;
  std::map<std::string, std::unique_ptr<OutboxQueue>> queues_;
  std::map<std::string, std::int64_t> numbers_;  // of queues, as the file has them
  std::int64_t last_number_ = 0;
  std::map<std::pair<std::int64_t, std::string>, std::uint64_t> sequences_;  // the last given
  std::map<std::int64_t, OutboxDisk::QueueFound> unclaimed_;  // of sinks that have not come yet
  std::uint64_t last_id_ = 0;
  OutboxAges ages_;

  struct Fresh {
    OutboxQueue* queue;
    OutboxMessage message;
  };
  std::deque<Fresh> fresh_;  // without a number yet
  std::size_t fresh_bytes_ = 0;
  std::uint64_t pushed_ = 0;
  std::shared_ptr<OutboxDisk::Batch> batch_;  // numbered, on its way to the disk or tried again
  OutboxDisk::Batch next_;                    // removals and settings aside for the next one
  bool open_ = false, busy_ = false, armed_ = false;
  int hurried_ = 0;             // somebody waits for the disk
  int hands_ = 0;               // somebody waits for the end of the commit under way
  std::uint64_t refusals_ = 0;  // by the disk
  MonoTime last_commit_ = MonoTime::min(), armed_for_{};
  MonoTime quiet_until_ = MonoTime::min();  // after a failure
  asio::steady_timer timer_;
  Backoff backoff_;
  Backoff
      patience_;  // to take over what is left of a damaged file: that writes much, maybe in vain
  std::string trouble_;  // the rule that is raised: disk-full, disk-failing
  std::uint64_t lost_told_ = 0, lost_unclaimed_ = 0;
  bool overflowing_ = false;
  std::list<asio::steady_timer*> flushing_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace lightship
