// A damaged outbox file: moved aside under a name with the time, and what can be read of it taken
// over into a new one.
//
// The new file is made beside the old one and takes its place only when it is whole, so an end at
// any moment leaves one of both.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "base/clock.h"
#include "store/sqlite/database.h"

namespace lightship {

struct Salvaged {
  std::size_t messages = 0, counters = 0;
  std::filesystem::path aside;  // where the damaged file lies now
  std::string text;             // for people
};

// `make` opens a new file with the outbox's tables in it. Nothing is changed where it fails:
// cancelled, `stop` was set; unavailable, what is damaged could not be looked at or what is taken
// over not be written, and a later try may find everything.
Result<Salvaged> salvage(
    const std::filesystem::path& file, Time now,
    const std::function<Result<sqlite::Database>(const std::filesystem::path&)>& make,
    const std::atomic<bool>& stop);

// An end in the middle: the old file is aside and the new one has not got its name yet.
void finish_salvage(const std::filesystem::path& file);

}  // namespace lightship
