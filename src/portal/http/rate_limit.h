// How often somebody may: a bucket of tokens for each, refilled with time.
//
// Bounded: of the most recent ones each has a bucket, whoever was forgotten begins with a full one.
#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace lightship::portal {

class RateLimit {
 public:
  // So many a second for long, so many at once; 0 a second: no limit.
  struct Rate {
    double per_second = 0, at_once = 0;
  };
  static constexpr std::size_t kMostKeys = 4096;

  explicit RateLimit(Rate rate) : rate_(rate) {}

  // Nothing: go on. Else how long until the next may.
  std::optional<Duration> take(const std::string& key, MonoTime now);

 private:
  struct Bucket {
    std::string key;
    double tokens;
    MonoTime at;
  };
  Rate rate_;
  std::list<Bucket> buckets_;  // the most recent first
  std::unordered_map<std::string, std::list<Bucket>::iterator> by_key_;
};

}  // namespace lightship::portal
