// GET /api/history: the past of one point, as JSON for a chart or as CSV in full.
#pragma once

#include <memory>

#include "base/worker.h"
#include "portal/field.h"
#include "portal/router.h"

namespace lightship::portal {

// The thread that asks the history; ends at once what it is asked when it goes.
class HistoryDesk {
 public:
  // `data_dir` is empty where nothing is kept.
  HistoryDesk(Clock& clock, Field& field, std::filesystem::path data_dir);
  ~HistoryDesk();

  // A chart shows no more; who wants all takes CSV.
  static constexpr std::size_t kMostRows = 5000;

  // Each question has a connection to the database, and so has each file on its way.
  static constexpr std::size_t kAtOnce = 4, kMostWaiting = 32, kMostFiles = 4;

  Task<Response> answer(const Call& call);
  // Ends what is being read: nobody waits for it any more.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
  Worker worker_;  // last: it ends its job before the rest goes
};

void add_history(Router& router, HistoryDesk& desk);

}  // namespace lightship::portal
