// The second copy of the sequence counters: DATA_DIR/outbox-numbers.json.
//
// outbox.db has the exact counters. This file says, for each, up to where numbers may have been
// given; it is written before a counter passes what it says, some ten thousand at a time. Should
// the database be lost or an old copy of it be put back, counting goes on behind that: some numbers
// are skipped, none is given twice. The form is that of the file of earlier versions,
// sequence-mqtt.json, which is taken over once: {"next": {"mqtt/main-panel/meter-1": 10001}}.
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
  static Result<std::map<std::string, std::uint64_t>> read(const std::filesystem::path& file);

  Result<void> load();
  const std::map<std::string, std::uint64_t>& next() const { return next_; }
  // True when a counter that stands at `last` is older than its second copy: an old file was put
  // back.
  static bool is_behind(std::uint64_t next, std::uint64_t last);

  // Numbers up to `last` are about to be given: writes the file unless it covers them well.
  Result<void> cover(const std::map<std::string, std::uint64_t>& last);

 private:
  std::filesystem::path file_;
  std::map<std::string, std::uint64_t> next_;
};

}  // namespace lightship
