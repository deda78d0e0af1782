// PDUs -> replies. `judge` has looked at every length before anything is taken out.
#include "codec/modbus/reply.h"

namespace lightship::modbus {
namespace {

Registers take_registers(Reader& in, std::size_t count) {
  Registers values(count);
  for (auto& value : values) value = in.u16();
  return values;
}

ByteVector take_bytes(Reader& in) {
  const Bytes bytes = in.rest();
  return {bytes.begin(), bytes.end()};
}

Written take_written(Reader& in) {
  const auto address = in.u16();
  return {address, in.u16()};
}

EventLog take_log(Reader& in) {
  EventLog log;
  in.u8();
  log.status = in.u16();
  log.event_count = in.u16();
  log.message_count = in.u16();
  log.events = take_bytes(in);
  return log;
}

FileRecords take_files(Reader& in, const ReadFile& request) {
  FileRecords files;
  in.u8();
  for (const auto& range : request.ranges) {
    in.u16();  // length and reference type
    files.records.push_back(take_registers(in, range.length));
  }
  return files;
}

Identification take_identification(Reader& in) {
  Identification identification;
  in.u8();
  identification.access = in.u8();
  identification.conformity = in.u8();
  const bool more = in.u8() != 0;
  const auto next = in.u8();
  if (more) identification.next = next;
  const auto objects = in.u8();
  for (int at = 0; at < objects; ++at) {
    const auto id = in.u8();
    const Bytes text = in.take(in.u8());
    identification.objects.push_back({id, {text.begin(), text.end()}});
  }
  return identification;
}

std::unexpected<Error> not_the_answer(Verdict verdict, const Request& request, Bytes pdu) {
  if (pdu.empty()) return fail(Errc::malformed, "no bytes");
  if (verdict == Verdict::function) {
    return fail(Errc::malformed, "function {} in the answer, {} was asked", pdu[0],
                code(function_of(request)));
  }
  if (verdict == Verdict::length) {
    if (const auto expected = expected_reply_size(request); expected && pdu.size() != *expected) {
      return fail(Errc::malformed, "wrong length, {} bytes instead of {}", pdu.size(), *expected);
    }
    return fail(Errc::malformed, "wrong length, {} bytes do not agree with their own count",
                pdu.size());
  }
  return fail(Errc::malformed, "{}", to_string(verdict));
}

}  // namespace

Result<Reply> decode_reply(const Request& request, Bytes pdu) {
  if (const auto verdict = judge(request, pdu); verdict != Verdict::good)
    return not_the_answer(verdict, request, pdu);
  if ((pdu[0] & kExceptionBit) != 0) return fail(exception_error(pdu[1]));

  Reader in(pdu.subspan(1));
  Reply reply{function_of(request), {}};
  switch (reply.function) {
    case Function::read_coils:
    case Function::read_discrete_inputs:
      in.u8();
      reply.body = Bits{std::get<Read>(request).count, take_bytes(in)};
      break;
    case Function::read_holding_registers:
    case Function::read_input_registers:
    case Function::read_write_registers: {
      const std::size_t bytes = in.u8();
      reply.body = take_registers(in, bytes / 2);
      break;
    }
    case Function::write_coil:
    case Function::write_register:
    case Function::write_coils:
    case Function::write_registers:
      reply.body = take_written(in);
      break;
    case Function::read_exception_status:
      reply.body = ExceptionStatus{in.u8()};
      break;
    case Function::diagnostics: {
      const auto sub = in.u16();
      reply.body = Diagnose{sub, in.u16()};
      break;
    }
    case Function::comm_event_counter: {
      const auto status = in.u16();
      reply.body = EventCounter{status, in.u16()};
      break;
    }
    case Function::comm_event_log:
      reply.body = take_log(in);
      break;
    case Function::report_server_id:
      in.u8();
      reply.body = ServerId{take_bytes(in)};
      break;
    case Function::read_file_record:
      reply.body = take_files(in, std::get<ReadFile>(request));
      break;
    case Function::write_file_record:
      reply.body = std::get<WriteFile>(request);
      break;
    case Function::mask_write_register:
      reply.body = std::get<MaskWrite>(request);
      break;
    case Function::read_fifo_queue: {
      in.u16();
      const auto count = in.u16();
      reply.body = Fifo{take_registers(in, count)};
      break;
    }
    case Function::read_device_identification:
      reply.body = take_identification(in);
      break;
  }
  return reply;
}

}  // namespace lightship::modbus
