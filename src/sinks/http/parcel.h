// A parcel: the messages of one request, what is posted for them, and its idempotency key.
#pragma once

#include <string>
#include <vector>

#include "store/outbox_message.h"

namespace lightship::http {

struct Parcel {
  std::vector<OutboxMessage> messages;  // of one URL, in the order of queueing
  bool array = false;                   // a JSON array, also of one

  std::size_t bytes() const;
  // Those behind the first half, taken out of this one. Both keep their order.
  Parcel halve();
};

// The text of the request's body. Messages that leave late are marked historical.
std::string body_of(const Parcel& parcel, Time now, MonoTime steady);

// The same for the same messages, whenever they are sent: a server that has seen it may drop them.
//   my-site-http/electrical-main-panel/meter-1-18234
//   my-site-http/electrical-3-5d41402abc4b2a76b9719d911017c592 (a batch: how many, and a digest)
// A message that is `historical` the second time and was not the first has the same key all the
// same: it is the same message.
//
// `sink` carries start_id() behind it where the numbers of messages do not outlive the program.
std::string idempotency_key(const Parcel& parcel, const std::string& device_id,
                            const std::string& sink);

// 16 hex digits by chance, the same as long as the program runs.
const std::string& start_id();

}  // namespace lightship::http
