// The window of a queue and what happens to its messages.
#include "store/outbox_queue.h"

#include "store/outbox_file.h"

namespace lightship {
namespace {

// More than any sink keeps under way, and small enough for the memory of a gateway.
constexpr std::size_t kWindow = 1024;
constexpr std::size_t kWindowBytes = 1 << 20;
// When so few are ready the next are fetched.
constexpr std::size_t kLow = kWindow / 4;

}  // namespace

OutboxQueue::OutboxQueue(OutboxFile& file, std::string name)
    : file_(file), name_(std::move(name)) {}

bool OutboxQueue::push(OutboxMessage message) { return file_.push(*this, std::move(message)); }

const OutboxMessage* OutboxQueue::peek() {
  for (const auto which : {Lane::alarm, Lane::measurement}) {
    auto& from = lane(which);
    if (from.ready.size() < kLow) refill(which);
    if (!from.ready.empty()) return &from.window.at(*from.ready.begin());
  }
  return nullptr;
}

const OutboxMessage* OutboxQueue::next() {
  const auto* message = peek();
  if (message == nullptr) return nullptr;
  lane(message->lane).ready.erase(message->id);
  under_way_.insert(message->id);
  return message;
}

OutboxQueue::LaneState* OutboxQueue::holder(std::uint64_t id) {
  for (auto& lane : lanes_) {
    if (lane.window.contains(id)) return &lane;
  }
  return nullptr;
}

void OutboxQueue::leave(LaneState& lane, std::uint64_t id) {
  const auto message = lane.window.find(id);
  const auto cost = message->second.cost();
  lane.window_bytes -= cost;
  lane.bytes -= std::min(cost, lane.bytes);
  if (lane.count > 0) --lane.count;
  lane.ready.erase(id);
  under_way_.erase(id);
  lane.window.erase(message);
}

void OutboxQueue::acknowledge(std::uint64_t id) {
  auto* lane = holder(id);
  if (lane == nullptr) return;
  const auto which = lane->window.at(id).lane;
  leave(*lane, id);
  file_.remove(*this, which, id);
  if (lane->ready.size() < kLow) refill(which);
}

void OutboxQueue::set_aside(std::uint64_t id, std::string reason) {
  auto* lane = holder(id);
  if (lane == nullptr) return;
  const auto which = lane->window.at(id).lane;
  leave(*lane, id);
  ++aside_;
  file_.set_aside(*this, which, id, std::move(reason));
  if (lane->ready.size() < kLow) refill(which);
}

void OutboxQueue::give_back(std::uint64_t id) {
  auto* lane = holder(id);
  if (lane == nullptr || under_way_.erase(id) == 0) return;
  lane->ready.insert(id);
}

void OutboxQueue::resend_all() {
  for (auto& lane : lanes_) {
    for (const auto& [id, message] : lane.window) lane.ready.insert(id);
  }
  under_way_.clear();
}

Task<void> OutboxQueue::flush(Duration limit) { return file_.flush(limit); }

std::size_t OutboxQueue::waiting() const { return lanes_[0].count + lanes_[1].count + fresh_; }

std::size_t OutboxQueue::bytes() const { return lanes_[0].bytes + lanes_[1].bytes + fresh_bytes_; }

std::optional<Time> OutboxQueue::oldest() const {
  std::optional<Time> found = oldest_fresh_;
  for (const auto& lane : lanes_) {
    if (lane.window.empty()) continue;
    const auto time = lane.window.begin()->second.timestamp;
    found = found ? std::min(*found, time) : time;
  }
  return found;
}

void OutboxQueue::committed(OutboxMessage message) {
  auto& into = lane(message.lane);
  const auto cost = message.cost();
  const bool nothing_between = into.loaded_to >= into.disk_to && !into.loading;
  ++into.count;
  into.bytes += cost;
  into.disk_to = std::max(into.disk_to, message.id);
  if (!nothing_between || into.window.size() >= kWindow ||
      (!into.window.empty() && into.window_bytes + cost > kWindowBytes)) {
    return;
  }
  into.loaded_to = message.id;
  into.window_bytes += cost;
  into.ready.insert(message.id);
  into.window.emplace(message.id, std::move(message));
}

void OutboxQueue::refill(Lane which) {
  auto& into = lane(which);
  if (into.loading || number_ == 0 || into.loaded_to >= into.disk_to ||
      into.window.size() >= kWindow || into.window_bytes >= kWindowBytes) {
    return;
  }
  into.loading = true;
  file_.load(*this, which, into.loaded_to, kWindow - into.window.size(),
             kWindowBytes - into.window_bytes);
}

void OutboxQueue::loaded(Lane which, std::vector<OutboxMessage> messages, bool all) {
  auto& into = lane(which);
  into.loading = false;
  const bool news = !messages.empty();
  for (auto& message : messages) {
    if (message.id <= into.loaded_to) continue;
    into.loaded_to = message.id;
    into.window_bytes += message.cost();
    into.ready.insert(message.id);
    into.window.emplace(message.id, std::move(message));
  }
  if (all) into.loaded_to = std::max(into.loaded_to, into.disk_to);
  if (news) tell_ready();
}

std::size_t OutboxQueue::drop_from_window(Lane which, std::size_t bytes) {
  auto& from = lane(which);
  std::size_t freed = 0;
  while (freed < bytes && !from.ready.empty()) {
    const auto id = *from.ready.begin();
    freed += from.window.at(id).cost();
    leave(from, id);
    file_.remove(*this, which, id);
    ++dropped_;
  }
  if (from.ready.empty()) refill(which);
  return freed;
}

void OutboxQueue::tell_ready() {
  if (ready_) ready_();
}

}  // namespace lightship
