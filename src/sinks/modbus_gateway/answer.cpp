// Checks a request, copies registers behind a header.
#include "sinks/modbus_gateway/answer.h"

#include "codec/modbus/bits.h"
#include "codec/modbus/request.h"

namespace lightship::gateway {
namespace {

using modbus::Exception;
using modbus::mbap::Adu;

constexpr std::size_t kReadPdu = 5;                           // function, first, count
constexpr std::size_t kReadHead = modbus::mbap::kHeader + 2;  // and function, byte count
constexpr std::uint32_t kAddresses = 65536;

bool is_forwarded_write(std::uint8_t function) {
  return function == 5 || function == 6 || function == 15 || function == 16 || function == 22 ||
         function == 23;
}

std::size_t data_bytes(Space space, std::size_t count) {
  return is_bits(space) ? modbus::packed_size(count) : 2 * count;
}

// Everything of a good answer but its data. Written at once, because byte for byte is measurably
// slower.
void put_head(ByteVector& out, std::uint16_t transaction, std::uint8_t unit, std::uint8_t function,
              std::size_t data) {
  const auto length = static_cast<std::uint8_t>(3 + data);
  const std::uint8_t head[kReadHead] = {static_cast<std::uint8_t>(transaction >> 8),
                                        static_cast<std::uint8_t>(transaction),
                                        0,
                                        0,
                                        static_cast<std::uint8_t>((3 + data) >> 8),
                                        length,
                                        unit,
                                        function,
                                        static_cast<std::uint8_t>(data)};
  out.insert(out.end(), head, head + kReadHead);
}

int code_of(const Error& error) {
  if (error.code == Errc::refused && error.detail >= 1 && error.detail <= 255) return error.detail;
  if (error.code == Errc::unavailable) return modbus::code(Exception::path_unavailable);
  return modbus::code(Exception::target_silent);
}

}  // namespace

Step Answerer::answer(Bytes stream, MonoTime now, ByteVector& out) {
  Step step;
  while (step.used < stream.size()) {
    if (out.size() >= kEnough) {
      step.why = Step::Why::enough;
      return step;
    }
    const auto adu = modbus::mbap::next_adu(stream.subspan(step.used));
    if (!adu) {
      if (adu.error().code == Errc::malformed) step.why = Step::Why::lost;
      return step;
    }
    if (answer_one(*adu, now, out, step.ask) == Taken::ask) {
      step.ask.size = adu->size;
      step.why = Step::Why::ask;
      return step;
    }
    ++tally_.requests;
    step.used += adu->size;
  }
  return step;
}

Answerer::Taken Answerer::answer_one(const Adu& adu, MonoTime now, ByteVector& out, Ask& ask) {
  const std::uint8_t function = adu.pdu[0];
  const auto refused = [&](Exception why) {
    refuse(adu.transaction, adu.unit, function, modbus::code(why), out);
    return Taken::answered;
  };
  Unit* const unit = units_.find(adu.unit);
  if (unit == nullptr) return refused(Exception::path_unavailable);
  if (is_forwarded_write(function)) return take_write(adu, *unit, out, ask);
  if (function < 1 || function > 4) return refused(Exception::illegal_function);

  const auto space = static_cast<Space>(function);
  if (adu.pdu.size() != kReadPdu) return refused(Exception::illegal_value);
  const std::uint16_t first = load_u16(&adu.pdu[1]);
  const std::uint16_t count = load_u16(&adu.pdu[3]);
  const std::uint16_t most = is_bits(space) ? modbus::kMaxReadBits : modbus::kMaxReadRegisters;
  if (count < 1 || count > most) return refused(Exception::illegal_value);
  if (std::uint32_t{first} + count > kAddresses) return refused(Exception::illegal_address);

  const std::size_t start = out.size();
  put_head(out, adu.transaction, adu.unit, function, data_bytes(space, count));
  const auto outcome = unit->read(space, first, count, now, out);
  if (outcome == Outcome::ok) return Taken::answered;

  out.resize(start);
  if (pass_through_) {
    if (const auto device = unit->device()) {
      ask = {adu.transaction, adu.unit, *device, space, first, count, 0, {}};
      return Taken::ask;
    }
  }
  return refused(outcome == Outcome::not_polled ? Exception::illegal_address
                                                : Exception::target_silent);
}

Answerer::Taken Answerer::take_write(const Adu& adu, Unit& unit, ByteVector& out, Ask& ask) {
  const auto device = unit.writable();
  int why = modbus::code(Exception::illegal_function);
  if (device) {
    const auto request = modbus::decode_request(adu.pdu);
    if (request) {
      ask = {adu.transaction,
             adu.unit,
             *device,
             Space::holding,
             0,
             0,
             0,
             ByteVector(adu.pdu.begin(), adu.pdu.end())};
      return Taken::ask;
    }
    if (request.error().code == Errc::refused) why = request.error().detail;
  } else {
    ++tally_.writes_refused;
  }
  refuse(adu.transaction, adu.unit, adu.pdu[0], why, out);
  return Taken::answered;
}

void Answerer::relay(const Ask& ask, const Result<ByteVector>& said, ByteVector& out) {
  ++tally_.requests;
  if (!ask.write.empty()) {
    if (said && !said->empty() && said->front() == ask.write.front())
      return modbus::mbap::append_frame(out, ask.transaction, ask.unit, *said);
    const int code = said ? modbus::code(Exception::target_silent) : code_of(said.error());
    return refuse(ask.transaction, ask.unit, ask.write.front(), code, out);
  }
  const auto function = static_cast<std::uint8_t>(ask.space);
  const std::size_t expected = data_bytes(ask.space, ask.count);
  if (said && said->size() == expected) {
    put_head(out, ask.transaction, ask.unit, function, expected);
    put_bytes(out, *said);
  } else {
    const int code = said ? modbus::code(Exception::target_silent) : code_of(said.error());
    refuse(ask.transaction, ask.unit, function, code, out);
  }
}

void Answerer::refuse(std::uint16_t transaction, std::uint8_t unit, std::uint8_t function, int code,
                      ByteVector& out) {
  ++tally_.exception(code);
  const std::uint8_t pdu[] = {static_cast<std::uint8_t>(function | modbus::kExceptionBit),
                              static_cast<std::uint8_t>(code)};
  modbus::mbap::append_frame(out, transaction, unit, pdu);
}

}  // namespace lightship::gateway
