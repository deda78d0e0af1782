// What anybody may do over and over (log in and out, ping) must not push out of the audit what
// others did: of each user, and of each event, so many lines at once and then one each so often.
#pragma once

#include <map>
#include <string>

#include "core/line_budget.h"
#include "portal/api/said.h"

namespace lightship::portal {

class AuditBudget {
 public:
  AuditBudget(unsigned at_once, Duration each) : fresh_{LineBudget(at_once, each), 0, {}} {}

  // Whether this line is to be told. It then says how many of its kind were not, since the last.
  bool admit(AuditLine& line, MonoTime now);

  // The one that was used longest ago goes: more than that are users who are gone.
  static constexpr std::size_t kMost = 1024;
  std::size_t size() const { return known_.size(); }

 private:
  struct Entry {
    LineBudget lines;
    std::uint64_t untold;
    MonoTime last;
  };
  Entry fresh_;
  std::map<std::string, Entry> known_;  // by user and event
};

// Tells it where there is room.
Task<void> tell_audit(Field& field, AuditBudget& budget, MonoTime now, AuditLine line);

}  // namespace lightship::portal
