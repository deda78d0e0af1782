// The second copy of the sequence counters: DATA_DIR/outbox-numbers.json.
//
// outbox.db has the exact counters. This file says, for each, up to where numbers may have been
// given; it is written before a counter passes what it says, some ten thousand at a time. Should
// the database be lost or an old copy of it be put back, counting goes on behind that: some numbers
// are skipped, none is given twice.
//
// An old copy shows by its generation. It grows at each start, at each stop and once an hour, first
// in the database and then here; a database that is behind is no other but a copy of before. What
// is promised: a copy from before the last start, the last clean stop or the last hour is
// recognised, and any copy that is more than 12,000 numbers of one device behind. One that was made
// within the hour before a kill, and is put back after it, is not. Nor is a data directory that is
// put back as a whole, this file included: keep the newest outbox-numbers.json then.
//
// The form is that of the file of earlier versions, sequence-mqtt.json, which is taken over once:
// {"generation": 7, "next": {"mqtt/main-panel/meter-1": 10001}}.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace lightship {

class OutboxNumbers {
 public:
  explicit OutboxNumbers(std::filesystem::path file) : file_(std::move(file)) {}

  // By "queue/key": the first number that was surely not given. None when there is no file; a file
  // that cannot be understood is an error.
  static Result<std::map<std::string, std::uint64_t>> read(const std::filesystem::path& file,
                                                           std::uint64_t* generation = nullptr);

  Result<void> load();
  std::uint64_t generation() const { return generation_; }
  // The database has it already.
  Result<void> set_generation(std::uint64_t generation);
  const std::map<std::string, std::uint64_t>& next() const { return next_; }
  // True when a counter that stands at `last` is older than its second copy: an old file was put
  // back.
  static bool is_behind(std::uint64_t next, std::uint64_t last);

  // Numbers up to `last` are about to be given: writes the file unless it covers them well.
  Result<void> cover(const std::map<std::string, std::uint64_t>& last);

 private:
  Result<void> write(const std::map<std::string, std::uint64_t>& next, std::uint64_t generation);

  std::filesystem::path file_;
  std::uint64_t generation_ = 0;
  std::map<std::string, std::uint64_t> next_;
};

}  // namespace lightship
