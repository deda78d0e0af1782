// MBAP headers.
#include "codec/modbus/mbap.h"

namespace lightship::modbus::mbap {
namespace {

constexpr std::size_t kMinLength = 2;    // unit and function
constexpr std::size_t kMaxLength = 254;  // unit and the largest PDU

template <class Pdu>
void append_encoded(ByteVector& out, std::uint16_t transaction, std::uint8_t unit, const Pdu& pdu) {
  put_u16(out, transaction);
  put_u32(out, 0);  // protocol 0, and the length that is not known yet
  const std::size_t start = out.size();
  put_u8(out, unit);
  append(out, pdu);
  const std::size_t length = out.size() - start;
  out[start - 2] = static_cast<std::uint8_t>(length >> 8);
  out[start - 1] = static_cast<std::uint8_t>(length);
}

}  // namespace

Result<Adu> next_adu(Bytes stream) {
  if (stream.size() >= 4 && load_u16(&stream[2]) != 0) {
    return fail(Errc::malformed, "protocol id {}, expected 0", load_u16(&stream[2]));
  }
  if (stream.size() < 6) return fail(Errc::incomplete, "{} of 7 bytes", stream.size());
  const std::size_t length = load_u16(&stream[4]);
  if (length < kMinLength || length > kMaxLength) {
    return fail(Errc::malformed, "length {}, expected {} to {}", length, kMinLength, kMaxLength);
  }
  const std::size_t size = 6 + length;
  if (stream.size() < size) return fail(Errc::incomplete, "{} of {} bytes", stream.size(), size);
  return Adu{load_u16(stream.data()), stream[6], stream.subspan(kHeader, size - kHeader), size};
}

void append_frame(ByteVector& out, std::uint16_t transaction, std::uint8_t unit, Bytes pdu) {
  put_u16(out, transaction);
  put_u16(out, 0);
  put_u16(out, static_cast<std::uint16_t>(1 + pdu.size()));
  put_u8(out, unit);
  put_bytes(out, pdu);
}

ByteVector frame(std::uint16_t transaction, std::uint8_t unit, Bytes pdu) {
  ByteVector out;
  out.reserve(kHeader + pdu.size());
  append_frame(out, transaction, unit, pdu);
  return out;
}

void append_frame(ByteVector& out, std::uint16_t transaction, std::uint8_t unit,
                  const Request& request) {
  append_encoded(out, transaction, unit, request);
}

void append_frame(ByteVector& out, std::uint16_t transaction, std::uint8_t unit,
                  const Reply& reply) {
  append_encoded(out, transaction, unit, reply);
}

}  // namespace lightship::modbus::mbap
