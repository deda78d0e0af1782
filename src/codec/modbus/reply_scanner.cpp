// The search for an answer in a stream.
//
// The search goes through the bytes in order. Where unit and function are the asked ones and the
// length is not more than the expected, it waits for the whole frame: that never holds up the true
// answer, which begins later and is as long. Frames that claim to be longer, and frames of others,
// are only remembered (claims) and settled when the search has seen as many bytes; so a stray byte
// that looks like the start of 255 others costs nothing. Every decision depends on the bytes up to
// its end only, hence not on the pieces they come in.
#include "codec/modbus/reply_scanner.h"

#include <algorithm>

#include "codec/modbus/crc.h"
#include "codec/modbus/reply.h"
#include "codec/modbus/rtu.h"

namespace lightship::modbus::rtu {
namespace {

std::size_t expected_frame(const Request& request) {
  const auto pdu = expected_reply_size(request);
  return pdu ? *pdu + 3 : kMaxFrame;
}

}  // namespace

ReplyScanner::ReplyScanner(std::uint8_t unit, const Request& request, Bytes sent, Echo echo)
    : request_(request),
      sent_(sent.size() <= kMaxFrame ? sent : Bytes()),
      unit_(unit),
      function_(code(function_of(request))),
      answer_may_be_echo_(may_echo(function_of(request))),
      drop_echo_(!sent_.empty() && (echo == Echo::always || !answer_may_be_echo_)),
      expected_(expected_frame(request)) {}

Scan ReplyScanner::next() const { return {kind_, pdu_}; }

Rejects ReplyScanner::rejects() const {
  Rejects all = rejects_;
  if (kind_ == Scan::Kind::need_more) all.noise_bytes += noise_;
  return all;
}

void ReplyScanner::feed(Bytes bytes) {
  while (kind_ == Scan::Kind::need_more && !bytes.empty()) {
    compact();
    const std::size_t count = std::min(bytes.size(), kCapacity - size_);
    std::ranges::copy(bytes.first(count), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += count;
    bytes = bytes.subspan(count);
    scan();
  }
  rejects_.trailing_bytes += static_cast<std::uint32_t>(bytes.size());
}

void ReplyScanner::scan() {
  while (kind_ == Scan::Kind::need_more) {
    if (start_open_) claim_start();
    Claim* const claim = first_claim();
    const bool due = claim != nullptr && claim->to <= size_;
    if (step(due ? claim->to : size_) == Step::again) continue;
    if (!due) return;
    const Claim settled = *claim;
    *claim = {};
    settle(settled);
  }
}

// Where a frame should begin and it is not the answer, it may be one of another unit or function.
void ReplyScanner::claim_start() {
  const Bytes frame = part(start_, size_);
  if (frame.size() < 2) return;
  const bool asked = frame[0] == unit_ && (frame[1] & ~kExceptionBit) == function_;
  const Length length = asked ? Length{Length::State::impossible} : measure_reply(frame);
  if (length.incomplete()) return;
  start_open_ = false;
  if (length.known()) claims_[0] = {start_, start_ + length.bytes, 0};
}

// One position of the search, knowing the bytes before `limit`.
ReplyScanner::Step ReplyScanner::step(std::size_t limit) {
  const Bytes bytes = part(at_, limit);
  if (bytes.empty()) return Step::wait;

  bool may_be_echo = false;
  if (drop_echo_) {
    const std::size_t common = std::min(bytes.size(), sent_.size());
    may_be_echo = std::ranges::equal(bytes.first(common), sent_.first(common));
    if (may_be_echo && common == sent_.size()) {
      ++rejects_.echo;
      if (answer_may_be_echo_) drop_echo_ = false;
      rejects_.noise_bytes += noise_;
      resume_behind(at_ + common);
      return Step::again;
    }
  }

  if (bytes[0] != unit_) return pass();
  if (bytes.size() < 2) return Step::wait;
  if ((bytes[1] & ~kExceptionBit) != function_) return may_be_echo ? Step::wait : pass();

  const Length length = measure_reply(bytes);
  if (length.incomplete()) return Step::wait;
  if (length.known() && length.bytes <= expected_) {
    if (bytes.size() < length.bytes) return Step::wait;
    if (crc16(bytes.first(length.bytes)) == 0) return decide(at_ + length.bytes);
    if (may_be_echo) return Step::wait;
    note_bad_crc(at_, at_ + length.bytes);
    return pass();
  }
  if (may_be_echo) return Step::wait;
  if (length.known()) {
    const auto free =
        std::find_if(claims_.begin() + 1, claims_.end(), [](const Claim& c) { return c.to == 0; });
    if (free != claims_.end()) *free = {at_, at_ + length.bytes, noise_};
  }
  return pass();
}

ReplyScanner::Step ReplyScanner::pass() {
  if (at_ >= bad_until_) ++noise_;
  ++at_;
  return Step::again;
}

// A frame of the asked unit and function whose CRC is good.
ReplyScanner::Step ReplyScanner::decide(std::size_t to) {
  switch (judge(request_, part(at_ + 1, to - 2))) {
    case Verdict::good:
      finish(Scan::Kind::reply, at_, to);
      return Step::again;
    case Verdict::exception_code:
      ++rejects_.exception_code;
      break;
    case Verdict::mismatch:
      ++rejects_.mismatch;
      break;
    case Verdict::length:
    case Verdict::function:
      ++rejects_.length;
      finish(Scan::Kind::wrong_length, at_, to);
      return Step::again;
  }
  rejects_.noise_bytes += noise_;
  resume_behind(to);
  return Step::again;
}

void ReplyScanner::settle(const Claim& claim) {
  const Bytes frame = part(claim.from, claim.to);
  const bool asked = frame[0] == unit_ && (frame[1] & ~kExceptionBit) == function_;
  if (crc16(frame) != 0) {
    if (!asked) return;
    noise_ = claim.noise;  // what was passed over since belongs to this frame
    note_bad_crc(claim.from, claim.to);
    return;
  }
  if (asked) {
    ++rejects_.length;
    noise_ = claim.noise;
    finish(Scan::Kind::wrong_length, claim.from, claim.to);
    return;
  }
  ++(frame[0] != unit_ ? rejects_.unit : rejects_.function);
  resume_behind(claim.to);
}

void ReplyScanner::finish(Scan::Kind kind, std::size_t from, std::size_t to) {
  kind_ = kind;
  pdu_ = part(from + 1, to - 2);
  rejects_.noise_bytes += noise_;
  rejects_.trailing_bytes += static_cast<std::uint32_t>(size_ - to);
}

void ReplyScanner::resume_behind(std::size_t end) {
  at_ = start_ = end;
  start_open_ = true;
  noise_ = 0;
  bad_until_ = 0;
  claims_ = {};
}

// What lies inside a bad frame is looked at again, but not counted again.
void ReplyScanner::note_bad_crc(std::size_t from, std::size_t to) {
  if (from >= bad_until_) ++rejects_.crc;
  bad_until_ = std::max(bad_until_, to);
}

ReplyScanner::Claim* ReplyScanner::first_claim() {
  Claim* first = nullptr;
  for (auto& claim : claims_) {
    if (claim.to != 0 && (first == nullptr || claim.to < first->to)) first = &claim;
  }
  return first;
}

// Keeps what may still be needed: at most one frame.
void ReplyScanner::compact() {
  std::size_t keep = start_open_ ? std::min(start_, at_) : at_;
  for (const auto& claim : claims_) {
    if (claim.to != 0) keep = std::min(keep, claim.from);
  }
  if (keep == 0) return;
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(keep),
            buffer_.begin() + static_cast<std::ptrdiff_t>(size_), buffer_.begin());
  size_ -= keep;
  at_ -= keep;
  start_ -= std::min(start_, keep);
  bad_until_ -= std::min(bad_until_, keep);
  for (auto& claim : claims_) {
    if (claim.to == 0) continue;
    claim.from -= keep;
    claim.to -= keep;
  }
}

}  // namespace lightship::modbus::rtu
