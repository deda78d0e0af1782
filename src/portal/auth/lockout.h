// Who guesses passwords waits, and the longer the more; who is known does not wait for them.
//
// Three counts, all of wrong passwords:
//  - of an account from one network (an IPv4 address, an IPv6 /64): after five 30 s, then after
//    each further one twice as long, up to 15 min;
//  - of a network over all accounts: the same, so that trying one password on many accounts does
//    not pay;
//  - of an account over all networks: 20 at once, then one each 30 s. That one is never more than
//    30 s away, so a thousand addresses cannot keep the owner out for ever.
// From a network from which the account was logged into before, what strangers guess does not
// count. There the first count is of the one address, and never more than 30 s, so that a neighbour
// at another address of the house slows the owner down and does not keep them out; and so that a
// /64 has no more guesses than others, its addresses together have a count like the third. Where
// even the address is the same (a proxy, a router that translates), the browser tells them apart:
// one in which the account was logged into before has counts of its own, of the same kind, and
// nothing that anybody else guesses is in them. What is counted is forgotten an hour after the last
// wrong one. All of it is bounded: the one touched longest ago goes first. The third count of users
// that there are never goes: names that somebody invents have a place of their own.
//
// Pure: times come in. An unknown user is counted like a known one.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/asio/ip/address.hpp>

#include "base/clock.h"
#include "core/line_budget.h"

namespace lightship::portal {

// "192.0.2.7", "2001:db8:1:2::/64"; an IPv4 address in an IPv6 one is the IPv4 address.
std::string network_of(const asio::ip::address& address);

class Lockout {
 public:
  static constexpr unsigned kTries = 5;
  static constexpr Duration kFirstWait = std::chrono::seconds(30);
  static constexpr Duration kLongestWait = std::chrono::minutes(15);
  static constexpr Duration kForgottenAfter = std::chrono::hours(1);
  static constexpr unsigned kOverallAtOnce = 20;
  static constexpr Duration kOverallEach = std::chrono::seconds(30);
  static constexpr std::size_t kMostTallies = 4096, kMostInvented = 1024;
  // As many as there are users, with networks and browsers that they are known from: none has to
  // go.
  static constexpr std::size_t kMostBudgets = 5120;

  struct Try {
    std::string account, network;
    std::string address;   // the one in that network
    bool known = false;    // the account was logged into from that network before
    bool exists = false;   // there is such an account
    std::string device{};  // the browser, where the account was logged into with it before
  };

  // How long it must wait; nothing: it may be made.
  std::optional<Duration> wait_for(const Try& attempt, MonoTime now);
  // It is made, and counts as wrong until it was right: so many at once are not one.
  void begin(const Try& attempt, MonoTime now);
  void was_right(const Try& attempt, MonoTime now);

  // The password is another now.
  void forget(std::string_view account);
  // The longest wait of each account that has one.
  std::map<std::string, Duration> waits(MonoTime now) const;
  std::size_t size() const { return tallies_.size() + overall_.size() + invented_.size(); }

 private:
  struct Tally {
    unsigned wrong = 0;
    MonoTime last{}, until{};
  };
  // Bounded; what was touched longest ago goes first.
  template <class T>
  class Recent {
   public:
    explicit Recent(std::size_t most) : most_(most) {}
    T* find(const std::string& key) {
      const auto found = index_.find(key);
      if (found == index_.end()) return nullptr;
      order_.splice(order_.begin(), order_, found->second);
      return &found->second->second;
    }
    T& at(const std::string& key, const T& fresh) {
      if (auto* known = find(key)) return *known;
      order_.emplace_front(key, fresh);
      index_[key] = order_.begin();
      if (order_.size() > most_) {
        index_.erase(order_.back().first);
        order_.pop_back();
      }
      return order_.front().second;
    }
    void erase(const std::string& key) {
      const auto found = index_.find(key);
      if (found == index_.end()) return;
      order_.erase(found->second);
      index_.erase(found);
    }
    template <class P>
    void erase_if(P which) {
      for (auto it = order_.begin(); it != order_.end();) {
        const auto next = std::next(it);
        if (which(it->first)) {
          index_.erase(it->first);
          order_.erase(it);
        }
        it = next;
      }
    }
    std::size_t size() const { return order_.size(); }
    auto begin() const { return order_.begin(); }
    auto end() const { return order_.end(); }

   private:
    using Order = std::list<std::pair<std::string, T>>;
    std::size_t most_;
    Order order_;
    std::unordered_map<std::string, typename Order::iterator> index_;
  };

  static bool is_known(const Try& attempt) { return attempt.known || !attempt.device.empty(); }
  static std::string pair_key(const Try& attempt);
  static std::string network_key(const Try& attempt);
  static std::string overall_key(const Try& attempt);
  Recent<LineBudget>& budgets(const Try& attempt) { return attempt.exists ? overall_ : invented_; }
  void count(const std::string& key, MonoTime now, Duration longest);
  void take_back(const std::string& key);
  Duration wait_of(const std::string& key, MonoTime now);

  Recent<Tally> tallies_{kMostTallies};
  Recent<LineBudget> overall_{kMostBudgets}, invented_{kMostInvented};
};

}  // namespace lightship::portal
