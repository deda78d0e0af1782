// Replies -> PDUs, and the small questions about them.
#include "codec/modbus/reply.h"

#include "codec/modbus/overload.h"

namespace lightship::modbus {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::function:
      return "another function";
    case Verdict::length:
      return "wrong length";
    case Verdict::exception_code:
      return "0 is not an exception code";
    case Verdict::mismatch:
      return "answers another request";
  }
  return "unknown";
}

const Registers& Reply::registers() const {
  static const Registers kNone;
  const auto* registers = std::get_if<Registers>(&body);
  return registers != nullptr ? *registers : kNone;
}

const Bits& Reply::bits() const {
  static const Bits kNone;
  const auto* bits = std::get_if<Bits>(&body);
  return bits != nullptr ? *bits : kNone;
}

namespace {

void put_registers(ByteVector& out, const Registers& values) {
  for (const auto value : values) put_u16(out, value);
}

void put_sized(ByteVector& out, Bytes bytes) {
  put_u8(out, static_cast<std::uint8_t>(bytes.size()));
  put_bytes(out, bytes);
}

void put_log(ByteVector& out, const EventLog& log) {
  put_u8(out, static_cast<std::uint8_t>(6 + log.events.size()));
  put_u16(out, log.status);
  put_u16(out, log.event_count);
  put_u16(out, log.message_count);
  put_bytes(out, log.events);
}

void put_files(ByteVector& out, const FileRecords& files) {
  const std::size_t size_at = out.size();
  put_u8(out, 0);
  for (const auto& record : files.records) {
    put_u8(out, static_cast<std::uint8_t>(1 + 2 * record.size()));
    put_u8(out, kFileReference);
    put_registers(out, record);
  }
  out[size_at] = static_cast<std::uint8_t>(out.size() - size_at - 1);
}

void put_fifo(ByteVector& out, const Fifo& fifo) {
  put_u16(out, static_cast<std::uint16_t>(2 + 2 * fifo.values.size()));
  put_u16(out, static_cast<std::uint16_t>(fifo.values.size()));
  put_registers(out, fifo.values);
}

void put_identification(ByteVector& out, const Identification& identification) {
  put_u8(out, kIdentificationMei);
  put_u8(out, identification.access);
  put_u8(out, identification.conformity);
  put_u8(out, identification.next ? 0xFF : 0x00);
  put_u8(out, identification.next.value_or(0));
  put_u8(out, static_cast<std::uint8_t>(identification.objects.size()));
  for (const auto& object : identification.objects) {
    put_u8(out, object.id);
    put_u8(out, static_cast<std::uint8_t>(object.text.size()));
    out.insert(out.end(), object.text.begin(), object.text.end());
  }
}

}  // namespace

void append(ByteVector& out, const Reply& reply) {
  // The echoes are the request itself.
  if (const auto* echo = std::get_if<Diagnose>(&reply.body)) return append(out, Request(*echo));
  if (const auto* echo = std::get_if<WriteFile>(&reply.body)) return append(out, Request(*echo));
  if (const auto* echo = std::get_if<MaskWrite>(&reply.body)) return append(out, Request(*echo));

  put_u8(out, code(reply.function));
  std::visit(Overload{
                 [&](const Registers& r) {
                   put_u8(out, static_cast<std::uint8_t>(2 * r.size()));
                   put_registers(out, r);
                 },
                 [&](const Bits& r) { put_sized(out, r.packed); },
                 [&](const Written& r) {
                   put_u16(out, r.address);
                   put_u16(out, r.value);
                 },
                 [&](const ExceptionStatus& r) { put_u8(out, r.bits); },
                 [&](const EventCounter& r) {
                   put_u16(out, r.status);
                   put_u16(out, r.count);
                 },
                 [&](const EventLog& r) { put_log(out, r); },
                 [&](const ServerId& r) { put_sized(out, r.data); },
                 [&](const FileRecords& r) { put_files(out, r); },
                 [&](const Fifo& r) { put_fifo(out, r); },
                 [&](const Identification& r) { put_identification(out, r); },
                 [](const auto&) {},
             },
             reply.body);
}

ByteVector encode(const Reply& reply) {
  ByteVector out;
  append(out, reply);
  return out;
}

ByteVector encode_exception(std::uint8_t function_code, Exception exception) {
  return {static_cast<std::uint8_t>(function_code | kExceptionBit), code(exception)};
}

}  // namespace lightship::modbus
