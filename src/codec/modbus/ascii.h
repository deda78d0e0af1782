// ASCII frames: ':' unit PDU LRC CR LF, each byte as two hex digits.
//
// Written in upper case, read in either. Modbus over Serial Line V1.02, 2.5.2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/modbus/rejects.h"
#include "codec/modbus/request.h"
#include "codec/modbus/scan.h"

namespace lightship::modbus::ascii {

inline constexpr std::size_t kMaxFrame = 513;

std::string frame(std::uint8_t unit, Bytes pdu);

struct Frame {
  std::uint8_t unit = 0;
  ByteVector pdu;
  friend bool operator==(const Frame&, const Frame&) = default;
};

// One whole frame with its colon and CR LF. Errc::incomplete without its end, Errc::crc when the
// LRC does not match, Errc::malformed for anything else, such as an odd number of digits.
Result<Frame> unframe(std::string_view text);

// Cuts a stream of characters into frames. A colon always starts anew, characters outside a frame
// are dropped, and so is a frame that grows too long.
class Scanner {
 public:
  // Calls `take(unit, pdu)` for every good frame and returns early when it says false, with the
  // number of characters used.
  template <class Take>
  std::size_t feed(Bytes characters, Take&& take) {
    for (std::size_t at = 0; at < characters.size(); ++at) {
      if (push(characters[at]) && !take(bytes_[0], Bytes(bytes_).subspan(1, size_ - 2)))
        return at + 1;
    }
    return characters.size();
  }

  void silence() { state_ = State::outside; }  // more than a second between two characters
  std::size_t inside() const;                  // characters of the frame that has begun

  std::uint64_t bad_lrc() const { return bad_lrc_; }
  std::uint64_t malformed() const {
    return malformed_;
  }  // odd digits, other characters, too short, too long
  std::uint64_t noise() const { return noise_; }  // characters outside a frame

 private:
  enum class State { outside, high, low, line_feed };

  bool push(std::uint8_t character);  // true when it completes a good frame
  bool spoil();

  State state_ = State::outside;
  std::array<std::uint8_t, 255> bytes_{};  // unit, PDU, LRC
  std::size_t size_ = 0;
  std::uint64_t bad_lrc_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t noise_ = 0;
};

// The answer to one request, by the same rules as rtu::ReplyScanner. `request` and `sent_pdu` (the
// request's PDU) must outlive it.
class ReplyScanner {
 public:
  ReplyScanner(std::uint8_t unit, const Request& request, Bytes sent_pdu,
               Echo echo = Echo::unknown);
  ReplyScanner(std::uint8_t unit, Request&& request, Bytes sent_pdu,
               Echo echo = Echo::unknown) = delete;
  ReplyScanner(const ReplyScanner&) = delete;
  ReplyScanner& operator=(const ReplyScanner&) = delete;

  void feed(Bytes characters);
  Scan next() const;
  Rejects rejects() const;

  // Characters of a frame that has begun and not ended.
  std::size_t undecided() const { return kind_ == Scan::Kind::need_more ? scanner_.inside() : 0; }

 private:
  bool take(std::uint8_t unit, Bytes pdu);

  const Request& request_;
  Bytes sent_pdu_;
  std::uint8_t unit_;
  bool answer_may_be_echo_;
  bool drop_echo_;
  Scanner scanner_;
  Scan::Kind kind_ = Scan::Kind::need_more;
  Bytes pdu_;
  Rejects rejects_;
};

}  // namespace lightship::modbus::ascii
