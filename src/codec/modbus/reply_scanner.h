// Finds the answer to one request in what an RTU line or an RTU-over-TCP stream delivers.
//
// Bytes may come in any pieces; the result does not depend on them. Noise before the answer is
// passed over by looking for unit and function with a matching CRC; the echo of the request and
// good frames of others are counted and dropped; what follows the answer is counted and never kept,
// because it belongs to no one. One scanner serves one request. Nothing is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "codec/modbus/rejects.h"
#include "codec/modbus/request.h"
#include "codec/modbus/scan.h"

namespace lightship::modbus::rtu {

class ReplyScanner {
 public:
  // `request` and `sent` (the request's frame as written to the line) must outlive the scanner.
  ReplyScanner(std::uint8_t unit, const Request& request, Bytes sent, Echo echo = Echo::unknown);
  ReplyScanner(std::uint8_t unit, Request&& request, Bytes sent,
               Echo echo = Echo::unknown) = delete;
  ReplyScanner(const ReplyScanner&) = delete;
  ReplyScanner& operator=(const ReplyScanner&) = delete;

  void feed(Bytes bytes);
  Scan next() const;

  Rejects rejects() const;

  // Bytes that may still become the answer: with a time-out, "incomplete" rather than "silent".
  std::size_t undecided() const { return kind_ == Scan::Kind::need_more ? size_ - at_ : 0; }

 private:
  // A frame that begins at `from` and, if its first bytes are true, ends at `to`.
  struct Claim {
    std::size_t from = 0;
    std::size_t to = 0;
    std::uint32_t noise = 0;  // bytes passed over before it
  };
  enum class Step { again, wait };

  static constexpr std::size_t kCapacity = 512;
  static constexpr std::size_t kClaims = 4;

  void scan();
  void claim_start();
  Step step(std::size_t limit);
  Step pass();
  Step decide(std::size_t to);
  void settle(const Claim& claim);
  void finish(Scan::Kind kind, std::size_t from, std::size_t to);
  void resume_behind(std::size_t end);
  void note_bad_crc(std::size_t from, std::size_t to);
  Claim* first_claim();
  void compact();

  Bytes part(std::size_t from, std::size_t to) const {
    return Bytes(buffer_).subspan(from, to - from);
  }

  const Request& request_;
  Bytes sent_;
  std::uint8_t unit_;
  std::uint8_t function_;
  bool answer_may_be_echo_;
  bool drop_echo_;
  std::size_t expected_;  // length of the whole frame; the largest where the request does not say

  std::array<std::uint8_t, kCapacity> buffer_;
  std::size_t size_ = 0;
  std::size_t at_ = 0;     // everything before cannot be the start of the answer
  std::size_t start_ = 0;  // behind the last whole frame, where the next one should begin
  bool start_open_ =
      true;  // the frame of another that may begin at start_ has not been claimed yet
  std::size_t bad_until_ = 0;  // the end of a frame with a bad CRC: its bytes are not noise as well
  std::uint32_t noise_ = 0;    // bytes passed over since start_

  // Frames that may be waited for without holding up the search: the first is that of another at
  // start_, the others are answers longer than asked for. Free where `to` is 0.
  std::array<Claim, kClaims> claims_{};

  Scan::Kind kind_ = Scan::Kind::need_more;
  Bytes pdu_;
  Rejects rejects_;
};

}  // namespace lightship::modbus::rtu
