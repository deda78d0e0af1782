// Requests out of a stream.
#include "codec/modbus/request_scanner.h"

#include "codec/modbus/crc.h"

namespace lightship::modbus::rtu {

void RequestScanner::feed(Bytes bytes) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

std::optional<Frame> RequestScanner::next() {
  for (;;) {
    const Bytes left = Bytes(buffer_).subspan(at_);
    const Length length = measure_request(left);
    if (length.incomplete() || (length.known() && left.size() < length.bytes)) return std::nullopt;
    if (length.known()) {
      const Bytes frame = left.first(length.bytes);
      if (crc16(frame) == 0) {
        at_ += length.bytes;
        return Frame{frame[0], frame.subspan(1, frame.size() - 3)};
      }
      ++bad_crc_;
    }
    ++at_;
    ++dropped_bytes_;
  }
}

void RequestScanner::silence() {
  dropped_bytes_ += buffer_.size() - at_;
  buffer_.clear();
  at_ = 0;
}

}  // namespace lightship::modbus::rtu
