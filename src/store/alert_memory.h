// Alerts over a restart: DATA_DIR/alerts.json.
//
// What is raised is written soon after each change, and once more when every sink has taken the
// change into its queue and the outbox has committed since; an entry then says `told`. The next run
// puts all of it on the board again: what still holds is raised again by its owner without being
// news, what was not surely told is told once more, and what nobody has raised again within
// `kForgotten` is cleared, so that no receiver keeps an alert for ever. Field loop only.
#pragma once

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/context.h"

namespace lightship {

class AlertMemory {
 public:
  static constexpr const char* kFile = "alerts.json";
  // Ends that no sink has taken are kept for a later run: so many, the newest.
  static constexpr std::size_t kMostEnds = 1000;
  // Owners look at what they guard within a minute or two; a few more for slow lines.
  static constexpr Duration kForgotten = std::chrono::minutes(5);

  explicit AlertMemory(Context& context);

  // Puts what the last run has left on the board; before parts are started.
  void recall();
  Task<void> run();
  // What is raised when it is called; at the end, before the parts are stopped: what they clear
  // when they go is not over.
  Task<void> save();

  std::string text();
  Result<void> adopt(std::string_view text);

 private:
  struct Change {
    Alert alert;
    std::uint64_t number;  // on the board
    std::optional<std::uint64_t>
        pushed{};  // what the outbox must have committed; nothing: not taken
  };
  void hear();
  void settle();
  Task<void> keep(std::string now);

  Context& context_;
  Log log_;
  std::filesystem::path file_;
  std::uint64_t heard_ = 0;       // changes of the board
  std::deque<Change> unsettled_;  // of each alert the newest that is not told yet
  std::string written_;
};

}  // namespace lightship
