// Budgets of the audit, by user and event.
#include "portal/api/audit_budget.h"

#include <algorithm>

namespace lightship::portal {

bool AuditBudget::admit(AuditLine& line, MonoTime now) {
  const auto key = line.user + " " + line.event;
  if (known_.size() >= kMost && !known_.contains(key)) {
    known_.erase(
        std::ranges::min_element(known_, {}, [](const auto& one) { return one.second.last; }));
  }
  auto& entry = known_.try_emplace(key, fresh_).first->second;
  entry.last = now;
  if (!entry.lines.take(now)) {
    ++entry.untold;
    return false;
  }
  if (entry.untold > 0)
    line.more.emplace_back("untold_before", std::to_string(std::exchange(entry.untold, 0)));
  return true;
}

Task<void> tell_audit(Field& field, AuditBudget& budget, MonoTime now, AuditLine line) {
  if (!budget.admit(line, now)) co_return;
  auto telling = tell_audit(field, std::move(line));
  co_await std::move(telling);
}

}  // namespace lightship::portal
