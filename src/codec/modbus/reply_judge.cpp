// Whether bytes are the answer to a request. Asked of every frame, so it decodes and allocates
// nothing.
#include <algorithm>

#include "codec/modbus/overload.h"
#include "codec/modbus/reply.h"

namespace lightship::modbus {
namespace {

Verdict length_is(bool right) { return right ? Verdict::good : Verdict::length; }

Verdict counted_bytes(Bytes pdu, std::size_t expected) {
  return length_is(pdu.size() == 2 + expected && pdu[1] == expected);
}

// 5, 6, 15, 16: address and value or count come back.
Verdict echoed(Bytes pdu, std::uint16_t address, std::uint16_t value) {
  if (pdu.size() != 5) return Verdict::length;
  return load_u16(&pdu[1]) == address && load_u16(&pdu[3]) == value ? Verdict::good
                                                                    : Verdict::mismatch;
}

Verdict judge_query(Function function, Bytes pdu) {
  switch (function) {
    case Function::read_exception_status:
      return length_is(pdu.size() == 2);
    case Function::comm_event_counter:
      return length_is(pdu.size() == 5);
    case Function::comm_event_log:
      return length_is(pdu.size() >= 8 && pdu.size() <= 8 + kMaxEvents && pdu[1] == pdu.size() - 2);
    default:
      return length_is(pdu.size() >= 2 && pdu[1] == pdu.size() - 2);
  }
}

// Counters (2, 11..18) come back with another data word, everything else as it was sent.
Verdict judge_diagnose(const Diagnose& request, Bytes pdu) {
  if (pdu.size() != 5) return Verdict::length;
  const auto sub = request.sub_function;
  const bool counter = sub == 2 || (sub >= 11 && sub <= 18);
  const bool same = load_u16(&pdu[1]) == sub && (counter || load_u16(&pdu[3]) == request.data);
  return same ? Verdict::good : Verdict::mismatch;
}

Verdict judge_files(const ReadFile& request, Bytes pdu) {
  Reader in(pdu);
  in.u8();
  if (in.u8() != in.left() || !in.ok()) return Verdict::length;
  for (const auto& range : request.ranges) {
    const std::size_t bytes = in.u8();
    if (bytes != 1 + 2u * range.length || in.u8() != kFileReference) return Verdict::length;
    in.take(bytes - 1);
  }
  return length_is(in.done());
}

Verdict judge_file_echo(const WriteFile& request, Bytes pdu) {
  Reader in(pdu);
  in.u8();
  if (in.u8() != in.left() || !in.ok()) return Verdict::length;
  std::size_t bytes = 0;
  for (const auto& record : request.records) bytes += 7 + 2 * record.values.size();
  if (in.left() != bytes) return Verdict::length;
  for (const auto& record : request.records) {
    const bool same =
        in.u8() == kFileReference && in.u16() == record.file && in.u16() == record.record &&
        in.u16() == record.values.size() &&
        std::ranges::all_of(record.values, [&](std::uint16_t value) { return in.u16() == value; });
    if (!same) return Verdict::mismatch;
  }
  return Verdict::good;
}

Verdict judge_mask(const MaskWrite& request, Bytes pdu) {
  if (pdu.size() != 7) return Verdict::length;
  const bool same = load_u16(&pdu[1]) == request.address && load_u16(&pdu[3]) == request.and_mask &&
                    load_u16(&pdu[5]) == request.or_mask;
  return same ? Verdict::good : Verdict::mismatch;
}

Verdict judge_fifo(Bytes pdu) {
  Reader in(pdu);
  in.u8();
  const auto bytes = in.u16();
  const auto count = in.u16();
  return length_is(in.ok() && count <= kMaxFifo && bytes == 2 + 2 * count &&
                   in.left() == 2u * count);
}

Verdict judge_identification(const Identify& request, Bytes pdu) {
  Reader in(pdu);
  in.u8();
  const auto mei = in.u8();
  const auto access = in.u8();
  in.u8();  // conformity
  in.u8();  // more
  in.u8();  // next
  const auto objects = in.u8();
  if (!in.ok()) return Verdict::length;
  if (mei != kIdentificationMei || access != request.access) return Verdict::mismatch;
  for (int at = 0; at < objects; ++at) {
    in.u8();
    in.take(in.u8());
  }
  return length_is(in.done());
}

}  // namespace

Verdict judge(const Request& request, Bytes pdu) {
  if (pdu.empty()) return Verdict::length;
  const auto asked = code(function_of(request));
  if (pdu[0] == (asked | kExceptionBit)) {
    if (pdu.size() != 2) return Verdict::length;
    return pdu[1] == 0 ? Verdict::exception_code : Verdict::good;
  }
  if (pdu[0] != asked) return Verdict::function;

  return std::visit(
      Overload{
          [&](const Read& r) {
            return counted_bytes(pdu,
                                 is_bit_read(r.function) ? packed_size(r.count) : 2u * r.count);
          },
          [&](const WriteCoil& r) { return echoed(pdu, r.address, r.on ? kCoilOn : 0); },
          [&](const WriteRegister& r) { return echoed(pdu, r.address, r.value); },
          [&](const Query& r) { return judge_query(r.function, pdu); },
          [&](const Diagnose& r) { return judge_diagnose(r, pdu); },
          [&](const WriteCoils& r) { return echoed(pdu, r.address, r.values.count); },
          [&](const WriteRegisters& r) {
            return echoed(pdu, r.address, static_cast<std::uint16_t>(r.values.size()));
          },
          [&](const ReadFile& r) { return judge_files(r, pdu); },
          [&](const WriteFile& r) { return judge_file_echo(r, pdu); },
          [&](const MaskWrite& r) { return judge_mask(r, pdu); },
          [&](const ReadWrite& r) { return counted_bytes(pdu, 2u * r.read_count); },
          [&](const ReadFifo&) { return judge_fifo(pdu); },
          [&](const Identify& r) { return judge_identification(r, pdu); },
      },
      request);
}

std::optional<std::size_t> expected_reply_size(const Request& request) {
  using Size = std::optional<std::size_t>;
  return std::visit(Overload{
                        [](const Read& r) -> Size {
                          return 2 +
                                 (is_bit_read(r.function) ? packed_size(r.count) : 2u * r.count);
                        },
                        [](const Query& r) -> Size {
                          if (r.function == Function::read_exception_status) return 2;
                          if (r.function == Function::comm_event_counter) return 5;
                          return std::nullopt;
                        },
                        [](const ReadFile& r) -> Size {
                          std::size_t size = 2;
                          for (const auto& range : r.ranges) size += 2 + 2u * range.length;
                          return size;
                        },
                        [](const WriteFile& r) -> Size {
                          std::size_t size = 2;
                          for (const auto& record : r.records) size += 7 + 2 * record.values.size();
                          return size;
                        },
                        [](const MaskWrite&) -> Size { return 7; },
                        [](const ReadWrite& r) -> Size { return 2 + 2u * r.read_count; },
                        [](const ReadFifo&) -> Size { return std::nullopt; },
                        [](const Identify&) -> Size { return std::nullopt; },
                        [](const auto&) -> Size { return 5; },  // 5, 6, 8, 15, 16
                    },
                    request);
}

}  // namespace lightship::modbus
