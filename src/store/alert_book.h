// The book of alerts that the portal shows: what is raised, who has acknowledged it, what is over.
//
// Beside what parts raise on the board it holds what shows by itself: devices that are offline and
// sinks that do not deliver. Those are not told to sinks; rules decide that. It outlives a restart
// in DATA_DIR/alert_history.json; what is over is bounded. Field loop only.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/view.h"

namespace lightship {

struct BookedAlert {
  std::uint64_t id = 0;
  std::string rule, point;  // as on the board; of a device: its full id
  std::string device;       // empty: the gateway itself
  Alert::Severity severity = Alert::Severity::warning;
  std::string text, value, limit;  // empty: none
  Time since{}, cleared{};         // epoch: not yet
  std::string acknowledged_by, note;
  Time acknowledged_at{};

  bool is_cleared() const { return cleared != Time{}; }
  bool is_acknowledged() const { return acknowledged_at != Time{}; }
};

class AlertBook {
 public:
  static constexpr const char* kFile = "alert_history.json";
  static constexpr std::size_t kMostCleared = 500, kMostActive = 2000;
  static constexpr std::size_t kMostNote = 500;
  static constexpr Duration kLook = std::chrono::seconds(5);
  // A device that comes and goes is no alert yet.
  static constexpr Duration kPatience = std::chrono::seconds(10);

  explicit AlertBook(Context& context);

  // The one of the house; kept in the context.
  static std::shared_ptr<AlertBook> of(Context& context);

  Task<void> run();  // looks, and writes the file

  void recall();
  void look();                              // at the board, and at the picture of the field
  std::vector<BookedAlert> active() const;  // acknowledged ones too, newest first
  const std::deque<BookedAlert>& cleared() const { return cleared_; }  // newest first

  // Errc::invalid: there is no such alert, or it is over; refused: somebody has acknowledged it
  // already, or is about to; unavailable: the audit cannot be written.
  Task<Result<void>> acknowledge(std::uint64_t id, std::string by, std::string note);

  std::string text() const;
  Result<void> adopt(std::string_view text);

 private:
  using Key = std::pair<std::string, std::string>;
  struct Seen {
    BookedAlert alert;
    bool now = false;
  };
  BookedAlert& book(BookedAlert fresh);
  void look_at_field();
  void close_what_is_over();
  bool is_steady(const Key& key);
  Task<Result<void>> record(const BookedAlert& alert, const std::string& by,
                            const std::string& note);

  Context& context_;
  Log log_;
  std::filesystem::path file_;
  std::uint64_t next_id_ = 1;
  std::map<Key, Seen> active_;
  std::map<Key, MonoTime> pending_;  // seen since then, not booked yet
  std::map<Key, bool> pending_now_;
  std::deque<BookedAlert> cleared_;
  std::set<std::uint64_t> being_acknowledged_;  // the audit is being written
  std::string written_;
};

}  // namespace lightship
