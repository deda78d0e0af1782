// history.db: its tables, and how it is opened.
//
//   series   id, name, unit, kind                 a point; where its unit changes, what was there
//            gets the name NAME@UNIT and a new series begins
//   layout   id, members (blob of series ids)     who stands where in a block
//   journal  id, tier, layout, at, till, blob     blocks as they came, in the order of time
//   chunk    tier, series, start, layout, end, rows, blob   compacted, in the order of series; the
//            times of raw rows stand once under the series -layout
//   event    id, series, at, what, before, after, increase  what counters did beside counting
//   meta     key, value
//
// docs/adr/0010-history-format.md says why.
#pragma once

#include <filesystem>

#include "store/history/types.h"
#include "store/sqlite/database.h"

namespace lightship::history {

constexpr const char* kFileName = "history.db";
constexpr char kFormer = '@';  // before the unit that a series had; no id of a point has it
constexpr int kVersion = 1;    // PRAGMA user_version

// Opens for writing, makes what is missing. malformed: damaged, or of a newer version.
Result<sqlite::Database> open_for_writing(const std::filesystem::path& file);

// Opens beside a running gateway, or without one. unavailable: there is none.
Result<sqlite::Database> open_for_reading(const std::filesystem::path& file);

std::int64_t meta(sqlite::Database& database, std::string_view key, std::int64_t otherwise);
Result<void> set_meta(sqlite::Database& database, std::string_view key, std::int64_t value);

ByteVector encode_members(const std::vector<std::int64_t>& series);
std::vector<std::int64_t> decode_members(Bytes blob);

}  // namespace lightship::history
