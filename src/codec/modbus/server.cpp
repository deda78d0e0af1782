// Requests carried out on a map.
#include "codec/modbus/server.h"

#include "codec/modbus/overload.h"
#include "codec/modbus/pdu.h"

namespace lightship::modbus {
namespace {

using Outcome = std::expected<Reply, Exception>;

Space space_of(Function function) {
  switch (function) {
    case Function::read_coils:
      return Space::coils;
    case Function::read_discrete_inputs:
      return Space::discrete_inputs;
    case Function::read_input_registers:
      return Space::input_registers;
    default:
      return Space::holding_registers;
  }
}

bool is_served(std::uint8_t function_code) {
  switch (static_cast<Function>(function_code)) {
    case Function::comm_event_counter:
    case Function::comm_event_log:
    case Function::read_file_record:
    case Function::write_file_record:
    case Function::read_fifo_queue:
      return false;
    default:
      return is_known(function_code);
  }
}

std::unexpected<Exception> refuse(Exception exception) { return std::unexpected(exception); }

class Execution {
 public:
  explicit Execution(DataMap& map) : map_(map) {}

  Outcome operator()(const Read& request) {
    const Space space = space_of(request.function);
    if (!map_.serves(space, request.address, request.count))
      return refuse(Exception::illegal_address);
    if (is_bit_read(request.function)) {
      Bits bits(request.count);
      if (const auto trouble = map_.read(space, request.address, bits)) return refuse(*trouble);
      return Reply{request.function, std::move(bits)};
    }
    return read_registers(request.function, space, request.address, request.count);
  }

  Outcome operator()(const WriteCoil& request) {
    return write_coils(Function::write_coil, request.address, Bits{request.on},
                       request.on ? kCoilOn : 0);
  }
  Outcome operator()(const WriteCoils& request) {
    return write_coils(Function::write_coils, request.address, request.values,
                       request.values.count);
  }
  Outcome operator()(const WriteRegister& request) {
    return write_registers(Function::write_register, request.address, {request.value},
                           request.value);
  }
  Outcome operator()(const WriteRegisters& request) {
    return write_registers(Function::write_registers, request.address, request.values,
                           static_cast<std::uint16_t>(request.values.size()));
  }

  Outcome operator()(const MaskWrite& request) {
    if (!map_.serves(Space::holding_registers, request.address, 1))
      return refuse(Exception::illegal_address);
    std::uint16_t value = 0;
    if (const auto trouble =
            map_.read(Space::holding_registers, request.address, std::span(&value, 1))) {
      return refuse(*trouble);
    }
    value = static_cast<std::uint16_t>((value & request.and_mask) |
                                       (request.or_mask & ~request.and_mask));
    if (const auto trouble =
            map_.write(request.address, std::span<const std::uint16_t>(&value, 1))) {
      return refuse(*trouble);
    }
    return Reply{Function::mask_write_register, request};
  }

  Outcome operator()(const ReadWrite& request) {
    const auto count = static_cast<std::uint16_t>(request.values.size());
    if (!map_.serves(Space::holding_registers, request.read_address, request.read_count) ||
        !map_.serves(Space::holding_registers, request.write_address, count)) {
      return refuse(Exception::illegal_address);
    }
    if (const auto trouble = map_.write(request.write_address, request.values))
      return refuse(*trouble);
    return read_registers(Function::read_write_registers, Space::holding_registers,
                          request.read_address, request.read_count);
  }

  Outcome operator()(const Query& request) {
    if (request.function == Function::read_exception_status) {
      return Reply{request.function, ExceptionStatus{map_.exception_status()}};
    }
    auto id = map_.server_id();
    if (id.empty()) return refuse(Exception::illegal_function);
    return Reply{request.function, ServerId{std::move(id)}};
  }

  // No counters are kept here: they read as 0, and clearing them is always done.
  Outcome operator()(const Diagnose& request) {
    switch (request.sub_function) {
      case 0:
      case 1:
      case 3:
      case 4:
      case 10:
      case 20:
        return Reply{Function::diagnostics, request};
      case 2:
      case 11:
      case 12:
      case 13:
      case 14:
      case 15:
      case 16:
      case 17:
      case 18:
        return Reply{Function::diagnostics, Diagnose{request.sub_function, 0}};
      default:
        return refuse(Exception::illegal_function);
    }
  }

  Outcome operator()(const Identify& request) { return identify(map_.identity(), request); }

  Outcome operator()(const auto&) { return refuse(Exception::illegal_function); }

 private:
  Outcome read_registers(Function function, Space space, std::uint16_t address,
                         std::uint16_t count) {
    Registers values(count);
    if (const auto trouble = map_.read(space, address, values)) return refuse(*trouble);
    return Reply{function, std::move(values)};
  }

  Outcome write_coils(Function function, std::uint16_t address, const Bits& coils,
                      std::uint16_t answered) {
    if (!map_.serves(Space::coils, address, coils.count)) return refuse(Exception::illegal_address);
    if (const auto trouble = map_.write(address, coils)) return refuse(*trouble);
    return Reply{function, Written{address, answered}};
  }

  Outcome write_registers(Function function, std::uint16_t address, const Registers& values,
                          std::uint16_t answered) {
    const auto count = static_cast<std::uint16_t>(values.size());
    if (!map_.serves(Space::holding_registers, address, count))
      return refuse(Exception::illegal_address);
    if (const auto trouble = map_.write(address, values)) return refuse(*trouble);
    return Reply{function, Written{address, answered}};
  }

  // As many objects as fit; the rest is for the next request. An unknown start begins at 0 again.
  static Outcome identify(const std::map<std::uint8_t, std::string>& objects,
                          const Identify& request) {
    if (objects.empty()) return refuse(Exception::illegal_function);
    Identification answer;
    answer.access = request.access;
    answer.conformity = 0x83;  // extended, single objects too
    if (request.access == 4) {
      const auto one = objects.find(request.object);
      if (one == objects.end()) return refuse(Exception::illegal_address);
      answer.objects.push_back({one->first, one->second.substr(0, kMaxPdu - 9)});
      return Reply{Function::read_device_identification, std::move(answer)};
    }
    const int last = request.access == 1 ? 2 : request.access == 2 ? 0x7F : 0xFF;
    const bool known = request.object <= last && objects.contains(request.object);
    std::size_t size = 7;
    for (auto at = known ? objects.find(request.object) : objects.begin(); at != objects.end();
         ++at) {
      if (at->first > last) break;
      const auto text = at->second.substr(0, kMaxPdu - 9);
      if (size + 2 + text.size() > kMaxPdu) {
        answer.next = at->first;
        break;
      }
      size += 2 + text.size();
      answer.objects.push_back({at->first, text});
    }
    return Reply{Function::read_device_identification, std::move(answer)};
  }

  DataMap& map_;
};

}  // namespace

ByteVector answer(DataMap& map, std::uint8_t unit, Bytes request_pdu) {
  if (request_pdu.empty()) return {};
  const auto refused = [&](Exception exception) {
    return unit == kBroadcast ? ByteVector() : encode_exception(request_pdu[0], exception);
  };
  if (!is_served(request_pdu[0])) return refused(Exception::illegal_function);
  const auto request = decode_request(request_pdu);
  if (!request) return refused(static_cast<Exception>(request.error().detail));
  if (unit == kBroadcast && !is_write(function_of(*request))) return {};

  const Outcome outcome = std::visit(Execution(map), *request);
  if (!outcome) return refused(outcome.error());
  const auto* diagnosed = std::get_if<Diagnose>(&*request);
  const bool listens_only = diagnosed != nullptr && diagnosed->sub_function == 4;
  if (unit == kBroadcast || listens_only) return {};
  return encode(*outcome);
}

}  // namespace lightship::modbus
