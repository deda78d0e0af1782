// Whole small files: read with a bound, written so that a crash leaves the old or the new, never a
// mix.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lightship {

// unavailable when it cannot be read (errno in detail), invalid when it is larger than `limit`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit);

// Writes beside, syncs, renames over, syncs the folder. `mode`: 0600 for what holds secrets.
// Written by root, it belongs to the owner of its folder.
Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view content,
                               unsigned mode = 0644);

// Opens the file and makes it where it is not there, close-on-exec; -1 and errno where it cannot.
// What root makes gets the owner of its folder: else a command of root's would leave a file that
// the service's own user cannot open.
int open_owned(const std::filesystem::path& path, int flags, unsigned mode);

}  // namespace lightship
