// Counts wrong passwords.
#include "portal/auth/lockout.h"

#include <algorithm>

#include <fmt/format.h>

namespace lightship::portal {
namespace {

// A blank is in no name and no address.
constexpr char kBetween = ' ';

Duration lock_after(unsigned wrong, Duration longest) {
  if (wrong < Lockout::kTries) return {};
  const auto doublings = std::min(wrong - Lockout::kTries, 10U);
  return std::min(Lockout::kFirstWait * (1 << doublings), longest);
}

// No address has this form.
std::string device_key(const Lockout::Try& attempt) {
  return fmt::format("{}{}device{}{}", attempt.account, kBetween, kBetween, attempt.device);
}

Duration up(std::chrono::nanoseconds wait) { return std::chrono::ceil<Duration>(wait); }

}  // namespace

std::string network_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

std::string Lockout::pair_key(const Try& attempt) {
  if (!attempt.device.empty()) return device_key(attempt);
  return attempt.account + kBetween + (attempt.known ? attempt.address : attempt.network);
}
std::string Lockout::network_key(const Try& attempt) { return kBetween + attempt.network; }

std::string Lockout::overall_key(const Try& attempt) {
  if (!attempt.device.empty()) return device_key(attempt);
  return attempt.known ? attempt.account + kBetween + attempt.network : attempt.account;
}

Duration Lockout::wait_of(const std::string& key, MonoTime now) {
  const auto* tally = tallies_.find(key);
  return tally != nullptr && tally->until > now ? up(tally->until - now) : Duration{};
}

std::optional<Duration> Lockout::wait_for(const Try& attempt, MonoTime now) {
  auto wait = wait_of(pair_key(attempt), now);
  if (!is_known(attempt)) wait = std::max(wait, wait_of(network_key(attempt), now));
  if (auto* overall = budgets(attempt).find(overall_key(attempt))) {
    wait = std::max(wait, overall->wait(now));
  }
  return wait > Duration{} ? std::optional(wait) : std::nullopt;
}

void Lockout::count(const std::string& key, MonoTime now, Duration longest) {
  auto& tally = tallies_.at(key, Tally{});
  if (tally.wrong > 0 && now - std::max(tally.last, tally.until) > kForgottenAfter) tally = {};
  ++tally.wrong;
  tally.last = now;
  if (const auto lock = lock_after(tally.wrong, longest); lock > Duration{})
    tally.until = now + lock;
}

void Lockout::take_back(const std::string& key) {
  auto* tally = tallies_.find(key);
  if (tally == nullptr) return;
  if (tally->wrong > 0) --tally->wrong;
  // It was allowed to be made, so there was no lock before it.
  tally->until = {};
  if (tally->wrong == 0) tallies_.erase(key);
}

void Lockout::begin(const Try& attempt, MonoTime now) {
  count(pair_key(attempt), now, is_known(attempt) ? kFirstWait : kLongestWait);
  if (!is_known(attempt)) count(network_key(attempt), now, kLongestWait);
  budgets(attempt).at(overall_key(attempt), LineBudget{kOverallAtOnce, kOverallEach}).take(now);
}

void Lockout::was_right(const Try& attempt, MonoTime now) {
  tallies_.erase(pair_key(attempt));
  if (!is_known(attempt)) take_back(network_key(attempt));
  if (auto* overall = budgets(attempt).find(overall_key(attempt))) overall->give_back(now);
}

void Lockout::forget(std::string_view account) {
  const std::string head = std::string(account) + kBetween;
  const auto is_of_account = [&](const std::string& key) { return key.starts_with(head); };
  tallies_.erase_if(is_of_account);
  overall_.erase_if(is_of_account);
  overall_.erase(std::string(account));
}

std::map<std::string, Duration> Lockout::waits(MonoTime now) const {
  std::map<std::string, Duration> all;
  for (const auto& [key, tally] : tallies_) {
    const auto account = key.substr(0, key.find(kBetween));
    if (account.empty() || tally.until <= now) continue;
    auto& longest = all[account];
    longest = std::max(longest, up(tally.until - now));
  }
  return all;
}

}  // namespace lightship::portal
