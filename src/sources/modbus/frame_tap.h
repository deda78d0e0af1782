// Tells the ring of frames what one serial conversation sends and hears.
//
// An answer comes in pieces, with noise or the frames of others before it and behind: the pieces
// are put together here until it is known what they were. Without a line nothing is kept.
#pragma once

#include <array>

#include "codec/modbus/rejects.h"
#include "core/frame_ring.h"

namespace lightship::poller {

class FrameTap {
 public:
  FrameTap(std::shared_ptr<FrameLine> line, const Clock& clock)
      : line_(std::move(line)), clock_(clock) {}

  // What came while nobody listened, before a request: late where an answer was due.
  void stray(Bytes bytes);
  void sent(Bytes frame);
  void heard(Bytes bytes);
  // The last `size` bytes but `trailing` are an answer; what is before it was `others`.
  void answered(std::size_t size, std::size_t trailing, const modbus::Rejects& others,
                FrameFault fault = FrameFault::none);
  // No answer (any more) to the request, or the line is lost.
  void over(const modbus::Rejects& heard, bool torn, bool lost);

 private:
  void add(Bytes bytes, FrameFault fault) {
    line_->add(clock_.now(), FrameWay::received, bytes, fault, request_);
  }

  std::shared_ptr<FrameLine> line_;
  const Clock& clock_;
  std::uint64_t request_ = 0;
  bool owed_ = false;  // nothing has answered it
  std::array<std::uint8_t, FrameLine::kLongestFrame> bytes_;
  std::size_t size_ = 0;
};

}  // namespace lightship::poller
