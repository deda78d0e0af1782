// A damaged file whose first page is the trouble: without it SQLite reads nothing, though every
// other page may be whole.
//
// The first page holds the header of the file (100 bytes) and the roots of all tables
// (https://www.sqlite.org/fileformat2.html, 1.3 and 2.6). Our files are made by one list of
// statements each, so a new file has the same tables at the same places: what is damaged is taken
// from there.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace lightship::sqlite {

// Where the first page of `file` cannot be read: makes `copy` of it (and of its log) with one that
// can, and says for people what was replaced. Empty: there was nothing to mend, or mending does not
// help; then there is no copy. `sound`: a new file with the same tables, nothing of it in a log.
Result<std::string> mend_first_page(const std::filesystem::path& file,
                                    const std::filesystem::path& sound,
                                    const std::filesystem::path& copy);

// Damaged files that were moved aside ("NAME.damaged-TIME") are kept for a person to look at: the
// newest. Says how many older ones were removed.
std::size_t keep_newest_damaged(const std::filesystem::path& file);

}  // namespace lightship::sqlite
