// PDUs -> requests, refused with the exception a server answers.
#include "base/text.h"
#include "codec/modbus/exception.h"
#include "codec/modbus/request.h"

namespace lightship::modbus {
namespace {

std::unexpected<Error> refuse(Exception exception, std::string text) {
  return fail(Error{Errc::refused, std::move(text), code(exception)});
}

// What a PDU says about itself does not fit what it is.
std::unexpected<Error> ill_formed(Function function, std::size_t size) {
  return refuse(Exception::illegal_value,
                fmt::format("{} in {}", name(function), counted(size, "byte")));
}

Result<Request> checked(Request request) {
  if (auto possible = check(request); !possible) return fail(std::move(possible.error()));
  return request;
}

Registers take_registers(Reader& in, std::size_t count) {
  Registers values;
  const Bytes bytes = in.take(2 * count);
  values.reserve(bytes.size() / 2);
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) values.push_back(load_u16(&bytes[at]));
  return values;
}

// The counts are looked at before the byte counts: both are refused with 3, but 2000 coils too many
// is the better text.
Result<Request> decode_write_coils(Reader in, std::size_t size) {
  const auto address = in.u16();
  const auto count = in.u16();
  const std::size_t bytes = in.u8();
  if (!in.ok() || in.left() != bytes || bytes != packed_size(count)) {
    return ill_formed(Function::write_coils, size);
  }
  const Bytes packed = in.rest();
  return checked(WriteCoils{address, Bits{count, {packed.begin(), packed.end()}}});
}

Result<Request> decode_write_registers(Reader in, std::size_t size) {
  const auto address = in.u16();
  const auto count = in.u16();
  const std::size_t bytes = in.u8();
  if (!in.ok() || in.left() != bytes || bytes != 2u * count)
    return ill_formed(Function::write_registers, size);
  return checked(WriteRegisters{address, take_registers(in, count)});
}

Result<Request> decode_read_write(Reader in, std::size_t size) {
  ReadWrite request;
  request.read_address = in.u16();
  request.read_count = in.u16();
  request.write_address = in.u16();
  const auto count = in.u16();
  const std::size_t bytes = in.u8();
  if (!in.ok() || in.left() != bytes || bytes != 2u * count)
    return ill_formed(Function::read_write_registers, size);
  request.values = take_registers(in, count);
  return checked(std::move(request));
}

std::unexpected<Error> wrong_reference(std::uint8_t reference) {
  return refuse(Exception::illegal_address,
                fmt::format("reference type {}, expected 6", reference));
}

Result<Request> decode_read_file(Reader in, std::size_t size) {
  ReadFile request;
  const std::size_t bytes = in.u8();
  if (!in.ok() || in.left() != bytes || bytes % 7 != 0)
    return ill_formed(Function::read_file_record, size);
  std::optional<std::uint8_t> foreign;
  while (in.left() > 0) {
    if (const auto reference = in.u8(); reference != kFileReference) foreign = reference;
    const auto file = in.u16();
    const auto record = in.u16();
    request.ranges.push_back({file, record, in.u16()});
  }
  auto result = checked(std::move(request));
  if (foreign && (result || result.error().detail == code(Exception::illegal_address))) {
    return wrong_reference(*foreign);
  }
  return result;
}

Result<Request> decode_write_file(Reader in, std::size_t size) {
  WriteFile request;
  const std::size_t bytes = in.u8();
  if (!in.ok() || in.left() != bytes) return ill_formed(Function::write_file_record, size);
  std::optional<std::uint8_t> foreign;
  while (in.left() > 0) {
    if (const auto reference = in.u8(); reference != kFileReference) foreign = reference;
    FileRecord record;
    record.file = in.u16();
    record.record = in.u16();
    record.values = take_registers(in, in.u16());
    if (!in.ok()) return ill_formed(Function::write_file_record, size);
    request.records.push_back(std::move(record));
  }
  auto result = checked(std::move(request));
  if (foreign && (result || result.error().detail == code(Exception::illegal_address))) {
    return wrong_reference(*foreign);
  }
  return result;
}

// Two words and nothing else: most requests.
Result<Request> decode_words(Function function, Reader in, std::size_t size) {
  const auto first = in.u16();
  const auto second = in.u16();
  if (!in.done()) return ill_formed(function, size);
  switch (function) {
    case Function::write_coil:
      if (second != 0 && second != kCoilOn) {
        return refuse(Exception::illegal_value,
                      fmt::format("a coil is FF00 or 0000, not {:04X}", second));
      }
      return WriteCoil{first, second == kCoilOn};
    case Function::write_register:
      return WriteRegister{first, second};
    case Function::diagnostics:
      return Diagnose{first, second};
    default:
      return checked(Read{function, first, second});
  }
}

}  // namespace

Result<Request> decode_request(Bytes pdu) {
  if (pdu.empty()) return fail(Errc::malformed, "no bytes");
  Reader in(pdu);
  const auto function = static_cast<Function>(in.u8());
  switch (function) {
    case Function::read_coils:
    case Function::read_discrete_inputs:
    case Function::read_holding_registers:
    case Function::read_input_registers:
    case Function::write_coil:
    case Function::write_register:
    case Function::diagnostics:
      return decode_words(function, in, pdu.size());

    case Function::read_exception_status:
    case Function::comm_event_counter:
    case Function::comm_event_log:
    case Function::report_server_id:
      if (!in.done()) return ill_formed(function, pdu.size());
      return Query{function};

    case Function::write_coils:
      return decode_write_coils(in, pdu.size());
    case Function::write_registers:
      return decode_write_registers(in, pdu.size());
    case Function::read_write_registers:
      return decode_read_write(in, pdu.size());
    case Function::read_file_record:
      return decode_read_file(in, pdu.size());
    case Function::write_file_record:
      return decode_write_file(in, pdu.size());

    case Function::mask_write_register: {
      MaskWrite request;
      request.address = in.u16();
      request.and_mask = in.u16();
      request.or_mask = in.u16();
      if (!in.done()) return ill_formed(function, pdu.size());
      return request;
    }
    case Function::read_fifo_queue: {
      const ReadFifo request{in.u16()};
      if (!in.done()) return ill_formed(function, pdu.size());
      return request;
    }
    case Function::read_device_identification: {
      // Another MEI type (13 is CANopen) is a function of its own that is not known here.
      if (const auto mei = in.u8(); in.ok() && mei != kIdentificationMei) {
        return refuse(Exception::illegal_function, fmt::format("MEI type {} is not known", mei));
      }
      Identify request;
      request.access = in.u8();
      request.object = in.u8();
      if (!in.done()) return ill_formed(function, pdu.size());
      return checked(request);
    }
  }
  return refuse(Exception::illegal_function, fmt::format("function {} is not known", pdu[0]));
}

}  // namespace lightship::modbus
