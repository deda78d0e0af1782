// The queue of what is still to be delivered.
#include "store/outbox.h"

namespace lightship {

std::size_t Outbox::cost(const Message& message) {
  return sizeof(Message) + message.topic.size() + message.open_json.size();
}

void Outbox::push(Message message) {
  message.id = ++last_id_;
  bytes_ += cost(message);
  messages_.push_back(std::move(message));
  trim();
}

Outbox::Message* Outbox::next_unsent() {
  if (next_ >= messages_.size()) return nullptr;
  auto& message = messages_[next_++];
  message.sent = true;
  ++under_way_;
  return &message;
}

void Outbox::acknowledge(std::uint64_t id) {
  if (messages_.empty() || id < messages_.front().id || id > messages_.back().id) return;
  auto& message = messages_[id - messages_.front().id];
  if (!message.sent || message.acknowledged) return;
  message.acknowledged = true;
  --under_way_;
  while (!messages_.empty() && messages_.front().acknowledged) {
    bytes_ -= cost(messages_.front());
    messages_.pop_front();
    --next_;
  }
}

void Outbox::resend_all() {
  for (std::size_t i = 0; i < next_; ++i) {
    if (!messages_[i].acknowledged) messages_[i].sent = false;
  }
  // What was acknowledged out of order is not sent again.
  std::deque<Message> kept;
  for (auto& message : messages_) {
    if (message.acknowledged)
      bytes_ -= cost(message);
    else
      kept.push_back(std::move(message));
  }
  messages_ = std::move(kept);
  for (std::size_t i = 0; i < messages_.size(); ++i) messages_[i].id = ++last_id_;
  next_ = 0;
  under_way_ = 0;
}

void Outbox::trim() {
  // Ids must stay consecutive, so only the front may go. One under way there may still arrive: its
  // acknowledgement will find nothing.
  while (bytes_ > limit_ && messages_.size() > 1) {
    const auto& oldest = messages_.front();
    if (oldest.sent) {
      --next_;
      if (!oldest.acknowledged) --under_way_;
    }
    if (!oldest.acknowledged) ++dropped_;
    bytes_ -= cost(oldest);
    messages_.pop_front();
  }
}

}  // namespace lightship
