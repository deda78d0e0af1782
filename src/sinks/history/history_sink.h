// The history sink: everything the devices say goes into history.db.
//
// One coroutine gives readings to the recorder as they come; another hands what has gathered to the
// writer's thread every few seconds. While the disk does not take it, batches wait in bounded
// memory, then the oldest raw values are dropped and counted. Polling never waits for any of this.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "core/part.h"
#include "sinks/history/config.h"
#include "store/history/keeper.h"
#include "store/history/recorder.h"

namespace lightship::history {

class HistorySink final : public Runner {
 public:
  HistorySink(Context& context, HistoryConfig config);
  ~HistorySink() override;

  Task<Error> run() override;
  Task<void> drain(Duration limit) override;
  void nudge() override { look_at_units_ = true, soon_.cancel(); }
  void describe_status(JsonWriter& json) const override;
  void look(View& view, ServiceView& me) const override;

 private:
  Task<void> listen();
  Task<void> commit_in_time();
  Task<void> commit();
  void gather();
  void begin_anew(Time now);
  void introduce_groups();
  void bound();
  void tell(const Keeper::Report& report);

  Context& context_;
  HistoryConfig config_;
  Log log_;
  std::optional<Recorder> recorder_;
  std::unique_ptr<Inlet> inlet_;
  std::deque<Batch> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::unique_ptr<Keeper> keeper_;  // used on the worker alone
  Keeper::Report report_;           // what it said last
  std::unique_ptr<Heartbeat> heart_;
  asio::steady_timer soon_;  // woken when much has gathered
  bool busy_ = false, failing_ = false, look_at_units_ = false;
  Counter &stored_, &rollups_, &dropped_, &commits_, &written_;
  std::uint64_t seen_values_ = 0, seen_rollups_ = 0;
  Worker worker_;
};

}  // namespace lightship::history
