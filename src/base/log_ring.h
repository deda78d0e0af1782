// The newest log lines, kept in memory for who looks at them later: bounded in lines and in bytes.
//
// Thread safe. A reader gets the lines themselves, shared and immutable, so that nobody who logs
// waits for somebody who searches.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"

namespace lightship {

enum class Level : int { debug, info, warn, error };

struct LogLine {
  std::uint64_t seq = 0;  // counts up by one from 1
  Time time{};
  Level level = Level::info;
  std::string source, event;
  std::string fields;  // members of a JSON object, without its braces: "device":"a/b","n":3
};

class LogRing {
 public:
  // A gateway that is well says some lines an hour: days. One that is not, or says all (debug),
  // some minutes.
  static constexpr std::size_t kMostLines = 5000;
  static constexpr std::size_t kMostBytes = 1 << 20;

  explicit LogRing(std::size_t most_lines = kMostLines, std::size_t most_bytes = kMostBytes)
      : most_lines_(most_lines), most_bytes_(most_bytes) {}

  void keep(LogLine line);  // its seq is given here

  using Line = std::shared_ptr<const LogLine>;
  std::vector<Line> lines(std::uint64_t after = 0) const;  // oldest first

  std::uint64_t newest() const { return newest_.load(std::memory_order_acquire); }  // 0: none yet
  std::size_t bytes() const;

 private:
  static std::size_t size_of(const LogLine& line);

  const std::size_t most_lines_, most_bytes_;
  std::atomic<std::uint64_t> newest_{0};
  mutable std::mutex mutex_;
  std::deque<Line> lines_;
  std::size_t bytes_ = 0;
};

}  // namespace lightship
