// RTU frames and their lengths.
#include "codec/modbus/rtu.h"

#include "codec/modbus/crc.h"
#include "codec/modbus/function.h"

namespace lightship::modbus::rtu {
namespace {

constexpr Length kIncomplete{Length::State::incomplete, 0};
constexpr Length kImpossible{Length::State::impossible, 0};

constexpr Length known(std::size_t bytes) {
  return bytes <= kMaxFrame ? Length{Length::State::known, bytes} : kImpossible;
}

// The byte at `at` counts what follows, besides `fixed` other bytes.
Length counted(Bytes frame, std::size_t at, std::size_t fixed) {
  return frame.size() > at ? known(fixed + frame[at]) : kIncomplete;
}

// unit 2B 0E access conformity more next count {id length bytes}* crc
Length measure_identification(Bytes frame) {
  if (frame.size() >= 3 && frame[2] != kIdentificationMei) return kImpossible;
  if (frame.size() < 8) return kIncomplete;
  std::size_t at = 8;
  for (int object = 0; object < frame[7]; ++object) {
    if (at + 4 > kMaxFrame) return kImpossible;
    if (frame.size() < at + 2) return kIncomplete;
    at += 2u + frame[at + 1];
  }
  return known(at + 2);
}

Result<std::size_t> result(Length length, Bytes so_far) {
  if (length.known()) return length.bytes;
  if (length.incomplete()) return fail(Errc::incomplete, "{} bytes", so_far.size());
  return fail(Errc::malformed, "no frame begins so");
}

}  // namespace

void append_frame(ByteVector& out, std::uint8_t unit, Bytes pdu) {
  const std::size_t start = out.size();
  put_u8(out, unit);
  put_bytes(out, pdu);
  put_crc(out, crc16(Bytes(out).subspan(start)));
}

ByteVector frame(std::uint8_t unit, Bytes pdu) {
  ByteVector out;
  out.reserve(pdu.size() + 3);
  append_frame(out, unit, pdu);
  return out;
}

Result<Frame> unframe(Bytes frame) {
  if (frame.size() < kMinFrame)
    return fail(Errc::incomplete, "{} of at least {} bytes", frame.size(), kMinFrame);
  if (frame.size() > kMaxFrame)
    return fail(Errc::malformed, "{} bytes, a frame has up to {}", frame.size(), kMaxFrame);
  if (crc16(frame) != 0) return fail(Errc::crc, "crc does not match");
  return Frame{frame[0], frame.subspan(1, frame.size() - 3)};
}

Length measure_reply(Bytes frame) {
  if (frame.size() < 2) return kIncomplete;
  if ((frame[1] & kExceptionBit) != 0) return known(5);
  switch (static_cast<Function>(frame[1])) {
    case Function::read_coils:
    case Function::read_discrete_inputs:
    case Function::read_holding_registers:
    case Function::read_input_registers:
    case Function::comm_event_log:
    case Function::report_server_id:
    case Function::read_file_record:
    case Function::write_file_record:
    case Function::read_write_registers:
      return counted(frame, 2, 5);
    case Function::write_coil:
    case Function::write_register:
    case Function::diagnostics:
    case Function::comm_event_counter:
    case Function::write_coils:
    case Function::write_registers:
      return known(8);
    case Function::mask_write_register:
      return known(10);
    case Function::read_exception_status:
      return known(5);
    case Function::read_fifo_queue:
      return frame.size() < 4 ? kIncomplete : known(6u + load_u16(&frame[2]));
    case Function::read_device_identification:
      return measure_identification(frame);
  }
  return kImpossible;
}

Length measure_request(Bytes frame) {
  if (frame.size() < 2) return kIncomplete;
  switch (static_cast<Function>(frame[1])) {
    case Function::read_coils:
    case Function::read_discrete_inputs:
    case Function::read_holding_registers:
    case Function::read_input_registers:
    case Function::write_coil:
    case Function::write_register:
    case Function::diagnostics:
      return known(8);
    case Function::read_exception_status:
    case Function::comm_event_counter:
    case Function::comm_event_log:
    case Function::report_server_id:
      return known(4);
    case Function::write_coils:
    case Function::write_registers:
      return counted(frame, 6, 9);
    case Function::read_file_record:
    case Function::write_file_record:
      return counted(frame, 2, 5);
    case Function::mask_write_register:
      return known(10);
    case Function::read_write_registers:
      return counted(frame, 10, 13);
    case Function::read_fifo_queue:
      return known(6);
    case Function::read_device_identification:
      return known(7);
  }
  return kImpossible;
}

Result<std::size_t> reply_length(Bytes so_far) { return result(measure_reply(so_far), so_far); }

Result<std::size_t> request_length(Bytes so_far) { return result(measure_request(so_far), so_far); }

}  // namespace lightship::modbus::rtu
