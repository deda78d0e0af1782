// What a frame on a Modbus line means, in words: any bytes, sent or received, with the request
// before them where that is known.
//
// Pure and bounded; called by who looks at frames, never by who polls.
#pragma once

#include "core/frame_ring.h"

namespace lightship::poller {

FrameWords read_rtu_frame(const RawFrame& frame, Bytes request);    // serial, and RTU over TCP
FrameWords read_ascii_frame(const RawFrame& frame, Bytes request);  // `dissected` is RTU
FrameWords read_mbap_frame(const RawFrame& frame, Bytes request);   // TCP and UDP

}  // namespace lightship::poller
