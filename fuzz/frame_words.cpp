// Any bytes as a frame and the request before it, on every kind of line: always words, bounded, and
// never a crash. Input: which fault and way, how long the request is, the request, the frame.
#include "sources/modbus/frame_words.h"
#include "modbus_input.h"

using namespace lightship;
using namespace lightship::poller;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr auto kFaults = static_cast<std::uint8_t>(FrameFault::lost_line) + 1;
  RawFrame frame;
  frame.fault = static_cast<FrameFault>(data[0] % kFaults);
  frame.way = (data[0] & 0x80) != 0 ? FrameWay::received : FrameWay::sent;
  const auto asked = std::min<std::size_t>(data[1], size - 2);
  const Bytes request(data + 2, asked);
  frame.bytes = Bytes(data + 2 + asked, size - 2 - asked);
  for (const auto read : {read_rtu_frame, read_ascii_frame, read_mbap_frame}) {
    const auto words = read(frame, request);
    require(!words.summary.empty() && words.summary.size() < 400 && words.error.size() < 100);
    require(!words.unit || (*words.unit >= 0 && *words.unit <= 255));
    require(!words.function || (*words.function >= 0 && *words.function <= 255));
    require(words.dissected.size() <= 256 + 3);
  }
  return 0;
}
