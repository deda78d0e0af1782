// Bodies and keys.
#include "sinks/http/parcel.h"

#include <random>

#include <fmt/format.h>
#include <openssl/sha.h>

#include "base/hex.h"
#include "base/text.h"

namespace lightship::http {
namespace {

constexpr std::size_t kDigestBytes = 16;

// What tells one message of a queue from every other. Without a sequence it is the queue's number.
std::string name_of(const OutboxMessage& message) {
  if (message.sequence == 0) return fmt::format("{}", message.id);
  return fmt::format("{}-{}", message.key, message.sequence);
}

}  // namespace

std::size_t Parcel::bytes() const {
  std::size_t sum = 0;
  for (const auto& message : messages) sum += message.open_json.size();
  return sum;
}

Parcel Parcel::halve() {
  const auto middle = messages.begin() + static_cast<std::ptrdiff_t>((messages.size() + 1) / 2);
  Parcel rest{{std::make_move_iterator(middle), std::make_move_iterator(messages.end())}, array};
  messages.erase(middle, messages.end());
  return rest;
}

std::string body_of(const Parcel& parcel, Time now, MonoTime steady) {
  std::string body;
  body.reserve(parcel.bytes() + 48 * parcel.messages.size() + 2);
  if (parcel.array) body += '[';
  for (const auto& message : parcel.messages) {
    if (&message != &parcel.messages.front()) body += ',';
    body += finish_message(message, message.historical(now, steady));
  }
  if (parcel.array) body += ']';
  return body;
}

std::string idempotency_key(const Parcel& parcel, const std::string& device_id,
                            const std::string& sink) {
  const auto prefix = fmt::format("{}-{}", device_id, sink);
  if (parcel.messages.size() == 1)
    return fmt::format("{}-{}", prefix, name_of(parcel.messages.front()));
  std::string all;
  for (const auto& message : parcel.messages) all += name_of(message) + '\n';
  std::uint8_t digest[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(all.data()), all.size(), digest);
  return fmt::format("{}-{}-{}", prefix, parcel.messages.size(),
                     to_lower(to_hex(Bytes(digest, kDigestBytes), 0)));
}

const std::string& start_id() {
  static const std::string made = [] {
    std::random_device chance;
    return fmt::format("{:08x}{:08x}", chance(), chance());
  }();
  return made;
}

}  // namespace lightship::http
