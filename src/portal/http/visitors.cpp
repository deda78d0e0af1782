// Gives places and takes them back.
#include "portal/http/visitors.h"

namespace lightship::portal {

Visitors::Visit::Visit(Visitors& house, asio::ip::address peer, std::function<void()> drop)
    : house_(house), peer_(std::move(peer)), drop_(std::move(drop)), idle_since_(steady_now()) {
  house_.all_.push_back(this);
}

Visitors::Visit::~Visit() {
  if (web_socket_) --house_.web_sockets_;
  std::erase(house_.all_, this);
}

void Visitors::Visit::busy(bool now) {
  busy_ = now;
  if (!now) idle_since_ = steady_now();
}

bool Visitors::Visit::become_web_socket() {
  if (house_.web_sockets_ >= house_.limits_.web_sockets) return false;
  web_socket_ = true;
  ++house_.web_sockets_;
  return true;
}

std::unique_ptr<Visitors::Visit> Visitors::admit(asio::ip::address peer,
                                                 std::function<void()> drop) {
  if (connections() >= limits_.connections && !make_room()) {
    ++turned_away_;
    return nullptr;
  }
  return std::unique_ptr<Visit>(new Visit(*this, std::move(peer), std::move(drop)));
}

// The place of a dropped one is free once its coroutine has ended, a moment later; it counts no
// more from now on by being dropped only once.
bool Visitors::make_room() {
  std::map<asio::ip::address, std::size_t> held;
  std::size_t leaving = 0;
  for (const auto* visit : all_) {
    if (visit->web_socket_) continue;
    if (visit->dropped_) ++leaving;
    ++held[visit->peer_];
  }
  // Those that are on their way out make room already; a few more than allowed is no harm.
  if (connections() >= 2 * limits_.connections) return false;
  if (connections() - leaving < limits_.connections) return true;
  Visit* victim = nullptr;
  for (auto* visit : all_) {
    if (visit->busy_ || visit->web_socket_ || visit->dropped_) continue;
    const bool worse =
        victim == nullptr || held[visit->peer_] > held[victim->peer_] ||
        (held[visit->peer_] == held[victim->peer_] && visit->idle_since_ < victim->idle_since_);
    if (worse) victim = visit;
  }
  if (victim == nullptr) return false;
  ++evicted_;
  victim->dropped_ = true;
  victim->drop_();
  return true;
}

void Visitors::drop_requests() {
  for (auto* visit : std::list<Visit*>(all_)) {
    if (!visit->web_socket_) visit->drop_();
  }
}

void Visitors::drop_all() {
  for (auto* visit : std::list<Visit*>(all_)) visit->drop_();
}

}  // namespace lightship::portal
