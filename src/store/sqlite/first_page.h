// A damaged file whose first page is the trouble: without it SQLite reads nothing, though every
// other page may be whole.
//
// The first page holds the header of the file (100 bytes) and the roots of all tables
// (https://www.sqlite.org/fileformat2.html, 1.3 and 2.6). Our files are made by one list of
// statements each, so a new file has the same tables at the same places: what is damaged is taken
// from there.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/sqlite/database.h"
#include "store/sqlite/overlay.h"

namespace lightship::sqlite {

struct Mended {
  std::string what;               // was replaced, for people; empty: nothing
  std::unique_ptr<Overlay> page;  // what stands in its place; nothing where nothing was replaced
};

// Where the first page of `file` cannot be read: what it can be read with. Nothing: there was
// nothing to mend, or mending does not help. An error is not one of the file but of what should
// read it: a later try may find everything. `sound`: a new file with the same tables, nothing of it
// in a log. The file is not written to and not copied.
Result<Mended> mend_first_page(const std::filesystem::path& file,
                               const std::filesystem::path& sound);

// The damaged file, only read, through what it was mended with. malformed: not even so.
Result<Database> open_damaged(const std::filesystem::path& file, const Mended& mended);

// What keeps a damaged file from being read is not its damage: locks, room for the log's
// index, a stop. A later try may find everything.
bool is_passing(const Error& error);

// Damaged files that were moved aside ("NAME.damaged-TIME") are kept for a person to look at: only
// `newest`, whatever the times in their names say. Says how many others were removed.
std::size_t keep_only_damaged(const std::filesystem::path& file,
                              const std::filesystem::path& newest);

// The file with its log and the log's index.
void remove_with_log(const std::filesystem::path& file);

}  // namespace lightship::sqlite
