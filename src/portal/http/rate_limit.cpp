// Fills and empties buckets.
#include "portal/http/rate_limit.h"

namespace lightship::portal {

std::optional<Duration> RateLimit::take(const std::string& key, MonoTime now) {
  if (rate_.per_second <= 0) return std::nullopt;
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) {
    if (buckets_.size() >= kMostKeys) {
      by_key_.erase(buckets_.back().key);
      buckets_.pop_back();
    }
    buckets_.push_front({key, rate_.at_once, now});
    by_key_.emplace(key, buckets_.begin());
  } else {
    buckets_.splice(buckets_.begin(), buckets_, known->second);
  }
  auto& bucket = buckets_.front();
  const auto passed = std::chrono::duration<double>(now - bucket.at).count();
  bucket.tokens = std::min(rate_.at_once, bucket.tokens + passed * rate_.per_second);
  bucket.at = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  return std::chrono::ceil<Duration>(
      std::chrono::duration<double>((1 - bucket.tokens) / rate_.per_second));
}

}  // namespace lightship::portal
