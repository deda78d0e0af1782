// Cuts what was heard into what came before the answer, the answer, and what came behind it.
#include "sources/modbus/frame_tap.h"

#include <algorithm>

namespace lightship::poller {
namespace {

FrameFault fault_of(const modbus::Rejects& heard) {
  if (heard.crc > 0) return FrameFault::bad_check;
  if (heard.unit > 0) return FrameFault::other_unit;
  if (heard.function > 0 || heard.mismatch > 0 || heard.exception_code > 0)
    return FrameFault::not_asked;
  if (heard.echo > 0 && heard.noise_bytes == 0) return FrameFault::echo;
  return FrameFault::noise;
}

}  // namespace

void FrameTap::stray(Bytes bytes) {
  if (line_ && !bytes.empty()) add(bytes, owed_ ? FrameFault::late : FrameFault::noise);
}

void FrameTap::sent(Bytes frame) {
  if (!line_) return;
  request_ = line_->add(clock_.now(), FrameWay::sent, frame);
  owed_ = true;
  size_ = 0;
}

void FrameTap::heard(Bytes bytes) {
  if (!line_) return;
  if (size_ + bytes.size() > bytes_.size()) {  // a line that babbles
    add(Bytes(bytes_).first(size_), FrameFault::noise);
    size_ = 0;
  }
  bytes = bytes.last(std::min(bytes.size(), bytes_.size()));
  std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += bytes.size();
}

void FrameTap::answered(std::size_t size, std::size_t trailing, const modbus::Rejects& others,
                        FrameFault fault) {
  if (!line_) return;
  const Bytes all = Bytes(bytes_).first(size_);
  trailing = std::min(trailing, all.size());
  size = std::min(size, all.size() - trailing);
  const auto before = all.size() - trailing - size;
  if (before > 0) add(all.first(before), fault_of(others));
  add(all.subspan(before, size), fault);
  if (trailing > 0) add(all.last(trailing), FrameFault::noise);
  owed_ = false;
  size_ = 0;
}

void FrameTap::over(const modbus::Rejects& heard, bool torn, bool lost) {
  if (!line_) return;
  if (size_ > 0) {
    auto fault = fault_of(heard);
    if (torn && fault == FrameFault::noise) fault = FrameFault::torn;
    add(Bytes(bytes_).first(size_), fault);
    if (fault == FrameFault::echo && owed_ && !lost) add({}, FrameFault::no_answer);
  } else if (owed_ && !lost) {
    add({}, FrameFault::no_answer);
  }
  if (lost) add({}, FrameFault::lost_line);
  size_ = 0;
}

}  // namespace lightship::poller
