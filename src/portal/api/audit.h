// /api/audit: who changed what, newest first, out of the audit's files. For administrators.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

void add_audit(Router& router, House& house);

struct AuditEntry {
  std::string id;  // its place: inode and offset; what `after` takes
  std::string time, event, user, address, detail;
};

// One line of audit.jsonl as people read it; nothing where it is none.
std::optional<AuditEntry> audit_entry(std::string_view line);

struct AuditPage {
  std::vector<AuditEntry> entries;
  std::string next;  // empty: there are no older ones
};

// At most `limit` entries older than `after` (empty: the newest), from FILE, FILE.1, and so on.
// Blocking, and bounded: however long the lines are, it reads no more than 4 MiB.
// Errc::invalid: `after` is no place, or its part of the audit is gone.
Result<AuditPage> read_audit(const std::filesystem::path& file, const std::string& after,
                             std::size_t limit);

}  // namespace lightship::portal
