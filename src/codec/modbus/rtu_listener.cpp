// Frames out of an RTU line that somebody else uses.
#include "codec/modbus/crc.h"
#include "codec/modbus/listener.h"
#include "codec/modbus/rtu.h"

namespace lightship::modbus::rtu {
namespace {

bool may_be_a_function(std::uint8_t code) { return is_known(code & ~kExceptionBit); }

// Longer than any frame, so that a line which babbles without end is told in pieces.
constexpr std::size_t kTellAtOnce = 2 * kMaxFrame;

}  // namespace

void Listener::scan(bool last) {
  for (;;) {
    std::size_t length = 0;
    const auto found = at_ < buffer_.size() ? look(at_, length) : Found::wait;
    if (found == Found::frame) {
      tell_rest(at_);
      tell_frame(length);
      continue;
    }
    if (found == Found::nothing || (last && at_ < buffer_.size())) {
      ++at_;
      continue;
    }
    if (at_ >= kTellAtOnce) tell_rest(at_);
    if (last) break;
    const auto later = ahead();
    if (!later) return;
    at_ = *later;
  }
  tell_rest(buffer_.size());
}

// Whether a frame begins at `at`: by the length of an answer or by that of a request.
Listener::Found Listener::look(std::size_t at, std::size_t& length) const {
  const Bytes bytes = part(at, std::min(buffer_.size(), at + kMaxFrame));
  if (bytes.size() < 2) return Found::wait;
  if (!may_be_a_function(bytes[1])) return Found::nothing;
  // The shorter one first, so that it does not matter in which pieces the bytes came.
  bool wait = false;
  length = 0;
  for (const auto measured : {measure_request(bytes), measure_reply(bytes)}) {
    if (measured.known() && bytes.size() >= measured.bytes) {
      const bool shorter = length == 0 || measured.bytes < length;
      if (shorter && crc16(bytes.first(measured.bytes)) == 0) length = measured.bytes;
    } else if (measured.incomplete() || measured.known()) {
      wait = true;
    }
  }
  if (length > 0) return Found::frame;
  return wait ? Found::wait : Found::nothing;
}

// A whole frame that begins after a pause, while an earlier position still waits for bytes that
// will not come: then the earlier one is no frame.
std::optional<std::size_t> Listener::ahead() const {
  for (std::size_t at = at_ + 1; at + kMinFrame <= buffer_.size(); ++at) {
    std::size_t length = 0;
    if (begins_after_pause(at) && look(at, length) == Found::frame) return at;
  }
  return std::nullopt;
}

// What belongs to no frame, piece by piece as the pauses part it. A piece that ends with its own
// CRC is a frame of a function that no standard knows.
void Listener::tell_rest(std::size_t to) {
  std::size_t from = 0;
  std::size_t end = damaged_end(0, to);
  for (std::size_t at = 1; at <= to; ++at) {
    if (end != 0 ? at < end : at < to && !begins_after_pause(at)) continue;
    auto heard = cut(from, at);
    from = at;
    end = damaged_end(from, to);
    const Bytes bytes = heard.bytes;
    const bool framed = bytes.size() >= kMinFrame && bytes.size() <= kMaxFrame;
    if (framed && (crc16(bytes) == 0 || (may_be_a_function(bytes[1]) && bytes[0] <= 247))) {
      heard.unit = bytes[0];
      heard.pdu.assign(bytes.begin() + 1, bytes.end() - 2);
      if (crc16(bytes) == 0)
        pairing_.judge(heard);
      else
        heard.kind = Overheard::Kind::damaged;
    }
    tell(std::move(heard));
  }
  drop(to);
  at_ -= to;
}

// Where a damaged frame ends by what its first bytes say, if they are what is to be expected here:
// then neither a pause inside nor noise behind matters. 0: not known.
std::size_t Listener::damaged_end(std::size_t from, std::size_t to) const {
  const auto bytes = part(from, to);
  if (bytes.size() < kMinFrame || bytes[0] > 247 || !may_be_a_function(bytes[1])) return 0;
  const auto measured =
      pairing_.awaits(bytes[0], bytes[1]) ? measure_reply(bytes) : measure_request(bytes);
  return measured.known() && measured.bytes <= bytes.size() ? from + measured.bytes : 0;
}

void Listener::tell_frame(std::size_t length) {
  auto heard = cut(0, length);
  heard.unit = heard.bytes[0];
  heard.pdu.assign(heard.bytes.begin() + 1, heard.bytes.end() - 2);
  pairing_.judge(heard);
  tell(std::move(heard));
  drop(length);
}

}  // namespace lightship::modbus::rtu
