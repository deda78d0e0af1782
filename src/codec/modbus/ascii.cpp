// ASCII frames and the answers in them.
#include "codec/modbus/ascii.h"

#include <algorithm>

#include "codec/modbus/lrc.h"
#include "codec/modbus/reply.h"

namespace lightship::modbus::ascii {
namespace {

constexpr int digit(std::uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

constexpr std::size_t kMinBytes = 3;  // unit, function, LRC

}  // namespace

std::string frame(std::uint8_t unit, Bytes pdu) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = ":";
  out.reserve(7 + 2 * pdu.size());
  const auto put = [&](std::uint8_t byte) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  };
  put(unit);
  for (const auto byte : pdu) put(byte);
  put(static_cast<std::uint8_t>(lrc(pdu) - unit));
  return out += "\r\n";
}

Result<Frame> unframe(std::string_view text) {
  if (text.size() > kMaxFrame)
    return fail(Errc::malformed, "{} characters, a frame has up to {}", text.size(), kMaxFrame);
  if (!text.empty() && text.front() != ':')
    return fail(Errc::malformed, "a frame begins with a colon");
  if (!text.ends_with("\r\n")) return fail(Errc::incomplete, "the frame has no end");
  text = text.substr(1, text.size() - 3);

  ByteVector bytes;
  if (text.size() % 2 != 0) return fail(Errc::malformed, "odd number of hex digits");
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int high = digit(static_cast<std::uint8_t>(text[at]));
    const int low = digit(static_cast<std::uint8_t>(text[at + 1]));
    if (high < 0 || low < 0)
      return fail(Errc::malformed, "character {} or {} is not a hex digit", at + 1, at + 2);
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  if (bytes.size() < kMinBytes)
    return fail(Errc::malformed, "{} bytes, expected at least {}", bytes.size(), kMinBytes);
  if (lrc(bytes) != 0) return fail(Errc::crc, "lrc does not match");
  return Frame{bytes[0], {bytes.begin() + 1, bytes.end() - 1}};
}

bool Scanner::push(std::uint8_t character) {
  if (character == ':') {
    if (state_ != State::outside) ++malformed_;  // the frame before had no end
    state_ = State::high;
    size_ = 0;
    return false;
  }
  switch (state_) {
    case State::outside:
      ++noise_;
      return false;

    case State::high:
      if (character == '\r') {
        state_ = State::line_feed;
        return false;
      }
      if (digit(character) < 0 || size_ == bytes_.size()) return spoil();
      bytes_[size_] = static_cast<std::uint8_t>(digit(character) << 4);
      state_ = State::low;
      return false;

    case State::low:
      if (digit(character) < 0) return spoil();  // an odd number of digits, when it is the CR
      bytes_[size_] = static_cast<std::uint8_t>(bytes_[size_] | digit(character));
      ++size_;
      state_ = State::high;
      return false;

    case State::line_feed:
      if (character != '\n' || size_ < kMinBytes) return spoil();
      state_ = State::outside;
      if (lrc(Bytes(bytes_).first(size_)) == 0) return true;
      ++bad_lrc_;
      return false;
  }
  return false;
}

bool Scanner::spoil() {
  ++malformed_;
  state_ = State::outside;
  return false;
}

std::size_t Scanner::inside() const {
  switch (state_) {
    case State::outside:
      return 0;
    case State::high:
      return 1 + 2 * size_;
    case State::low:
    case State::line_feed:
      return 2 + 2 * size_;
  }
  return 0;
}

ReplyScanner::ReplyScanner(std::uint8_t unit, const Request& request, Bytes sent_pdu, Echo echo)
    : request_(request),
      sent_pdu_(sent_pdu),
      unit_(unit),
      answer_may_be_echo_(may_echo(function_of(request))),
      drop_echo_(echo == Echo::always || !answer_may_be_echo_) {}

Scan ReplyScanner::next() const { return {kind_, pdu_}; }

Rejects ReplyScanner::rejects() const {
  Rejects all = rejects_;
  all.crc += static_cast<std::uint32_t>(scanner_.bad_lrc());
  all.malformed += static_cast<std::uint32_t>(scanner_.malformed());
  all.noise_bytes += static_cast<std::uint32_t>(scanner_.noise());
  return all;
}

void ReplyScanner::feed(Bytes characters) {
  if (kind_ == Scan::Kind::need_more) {
    const std::size_t used =
        scanner_.feed(characters, [this](std::uint8_t unit, Bytes pdu) { return take(unit, pdu); });
    characters = characters.subspan(used);
  }
  rejects_.trailing_bytes += static_cast<std::uint32_t>(characters.size());
}

// False when the search is over.
bool ReplyScanner::take(std::uint8_t unit, Bytes pdu) {
  if (drop_echo_ && unit == unit_ && std::ranges::equal(pdu, sent_pdu_)) {
    ++rejects_.echo;
    if (answer_may_be_echo_) drop_echo_ = false;
    return true;
  }
  if (unit != unit_) {
    ++rejects_.unit;
    return true;
  }
  switch (judge(request_, pdu)) {
    case Verdict::good:
      kind_ = Scan::Kind::reply;
      break;
    case Verdict::function:
      ++rejects_.function;
      return true;
    case Verdict::exception_code:
      ++rejects_.exception_code;
      return true;
    case Verdict::mismatch:
      ++rejects_.mismatch;
      return true;
    case Verdict::length:
      ++rejects_.length;
      kind_ = Scan::Kind::wrong_length;
      break;
  }
  pdu_ = pdu;
  return false;
}

}  // namespace lightship::modbus::ascii
