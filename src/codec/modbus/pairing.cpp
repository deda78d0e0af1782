// Tells requests from answers.
#include "codec/modbus/pairing.h"

#include <algorithm>

#include "codec/modbus/reply.h"
#include "codec/modbus/rtu.h"

namespace lightship::modbus {
namespace {

// Where the answer is equal to the request, the same frame again is the answer when it comes soon
// and the request asked again when it comes late. Devices answer within 0.2 s; masters wait 0.5 s
// and longer before they ask again.
constexpr std::chrono::milliseconds kEchoIsAnAnswer{400};

bool has_length_of(rtu::Length (*measure)(Bytes), const Overheard& frame) {
  ByteVector adu;
  adu.reserve(frame.pdu.size() + 3);
  put_u8(adu, frame.unit);
  put_bytes(adu, frame.pdu);
  put_u16(adu, 0);
  const auto length = measure(adu);
  return length.known() && length.bytes == adu.size();
}

}  // namespace

std::string_view to_string(Overheard::Kind kind) {
  switch (kind) {
    case Overheard::Kind::request:
      return "request";
    case Overheard::Kind::answer:
      return "answer";
    case Overheard::Kind::damaged:
      return "damaged";
    case Overheard::Kind::noise:
      return "noise";
  }
  return "noise";
}

std::string_view to_string(Overheard::Fit fit) {
  switch (fit) {
    case Overheard::Fit::good:
      return "good";
    case Overheard::Fit::wrong:
      return "wrong";
    case Overheard::Fit::unasked:
      return "unasked";
  }
  return "unasked";
}

bool Pairing::awaits(std::uint8_t unit, std::uint8_t function) const {
  return open_ && open_->unit == unit && open_->pdu.front() == (function & ~kExceptionBit);
}

void Pairing::judge(Overheard& frame) {
  const bool awaited = awaits(frame.unit, frame.pdu.front());
  const bool same = awaited && frame.pdu == open_->pdu;
  const bool refuses = frame.pdu.size() == 2 && (frame.pdu[0] & kExceptionBit) != 0;
  const bool soon = awaited && frame.begin - open_->end <= kEchoIsAnAnswer;
  const bool fits =
      awaited &&
      (open_->request ? modbus::judge(*open_->request, frame.pdu) == Verdict::good : refuses);
  if (fits && (soon || !same)) return take_answer(frame, Overheard::Fit::good);

  auto request = decode_request(frame.pdu);
  const bool known = is_known(frame.pdu.front() & ~kExceptionBit);
  const bool may_ask = request.has_value() || has_length_of(rtu::measure_request, frame);
  const bool may_answer = refuses || has_length_of(rtu::measure_reply, frame);
  bool answers = may_answer;
  if (!known) {
    answers = refuses || (awaited && !same);
  } else if (may_ask) {
    answers = may_answer && soon && !same;
  } else if (!may_answer) {
    answers = awaited || (frame.pdu.front() & kExceptionBit) != 0;
  }
  if (!answers)
    return take_request(frame, request ? std::optional(std::move(*request)) : std::nullopt);
  // Of an answer to an unknown function nothing can be said against it.
  take_answer(frame, awaited && !known ? Overheard::Fit::good
                     : awaited         ? Overheard::Fit::wrong
                                       : Overheard::Fit::unasked);
}

void Pairing::take_request(Overheard& frame, std::optional<Request> request) {
  frame.kind = Overheard::Kind::request;
  frame.repeated = open_ && open_->unit == frame.unit && open_->pdu == frame.pdu;
  frame.request = std::move(request);
  open_.reset();
  if (frame.unit == kBroadcast) return;  // nobody answers
  open_ = Asked{frame.unit, frame.pdu, frame.request, frame.end};
}

void Pairing::take_answer(Overheard& frame, Overheard::Fit fit) {
  frame.kind = Overheard::Kind::answer;
  frame.fit = fit;
  if (fit != Overheard::Fit::good) return;
  frame.request = open_->request;
  frame.answer_time = std::max(std::chrono::nanoseconds{}, frame.begin - open_->end);
  open_.reset();
}

}  // namespace lightship::modbus
