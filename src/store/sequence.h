// Sequence numbers that no crash makes count twice: DATA_DIR/sequences.json.
//
// Numbers are reserved on disk before they are given: a crash skips what was reserved and not used,
// and never gives a number again. A clean stop saves the exact place, so nothing is skipped. Each
// key (one device at one sink) starts at 1. Field loop; the file is written by the Worker.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "base/task.h"
#include "base/worker.h"

namespace lightship {

class SequenceStore {
 public:
  // `file` empty: nothing is kept. A file that cannot be understood is an error: guessing could
  // reuse.
  static Result<std::unique_ptr<SequenceStore>> open(std::filesystem::path file, Worker& worker,
                                                     Logbook& logbook);

  // The next number of the key; waits for the disk only when nothing is reserved. An error where
  // nothing could be reserved: a number that is not on disk could be given again after a crash, so
  // none is given.
  Task<Result<std::uint64_t>> next(std::string key);

  // The newest number was not used after all; nothing when a newer one has been given.
  void give_back(const std::string& key, std::uint64_t number);

  // Reserves for many new keys in one write.
  Task<void> prepare(std::vector<std::string> keys);

  // Saves the exact place, at the end of a clean stop or before a successor goes on.
  Task<Result<void>> close();

 private:
  struct Counter {
    std::uint64_t next = 1;
    std::uint64_t reserved = 0;  // numbers up to and including this one are ours on disk
  };
  SequenceStore(std::filesystem::path file, Worker& worker, Logbook& logbook)
      : file_(std::move(file)), worker_(worker), log_(logbook, "sequence") {}
  Task<Result<void>> reserve();

  std::filesystem::path file_;
  Worker& worker_;
  Log log_;
  std::map<std::string, Counter, std::less<>> counters_;
  unsigned epoch_ =
      0;  // of the file: what was reserved before the exact place was saved is not ours
};

}  // namespace lightship
