// Frames out of an ASCII line that somebody else uses.
#include <algorithm>
#include <string_view>

#include "codec/modbus/ascii.h"
#include "codec/modbus/listener.h"

namespace lightship::modbus::ascii {

Listener::Listener(Timing timing) : modbus::Listener(timing) {
  timing_.silence = std::max<std::chrono::nanoseconds>(timing.silence, std::chrono::seconds(1));
}

void Listener::scan(bool last) {
  while (!buffer_.empty()) {
    const auto begin = buffer_.begin();
    if (buffer_.front() != ':') {
      const auto colon = std::find(begin, buffer_.end(), ':');
      if (colon == buffer_.end() && !last && buffer_.size() < kMaxFrame) return;
      tell_line(static_cast<std::size_t>(colon - begin), false);
      continue;
    }
    // A colon always begins anew, also in the middle of a frame.
    const auto stop = std::find_if(begin + 1, buffer_.end(),
                                   [](std::uint8_t c) { return c == '\n' || c == ':'; });
    if (stop != buffer_.end()) {
      const bool whole = *stop == '\n';
      tell_line(static_cast<std::size_t>(stop - begin) + (whole ? 1 : 0), whole);
      continue;
    }
    if (!last && buffer_.size() <= kMaxFrame) return;
    tell_line(buffer_.size(), false);
  }
}

void Listener::tell_line(std::size_t length, bool whole) {
  auto heard = cut(0, length);
  drop(length);
  const std::string_view text(reinterpret_cast<const char*>(heard.bytes.data()),
                              heard.bytes.size());
  if (text.front() == ':' && text.size() > 1) heard.kind = Overheard::Kind::damaged;
  if (whole) {
    if (auto frame = unframe(text)) {
      heard.unit = frame->unit;
      heard.pdu = std::move(frame->pdu);
      pairing_.judge(heard);
    }
  }
  tell(std::move(heard));
}

}  // namespace lightship::modbus::ascii
