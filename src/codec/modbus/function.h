// The functions of Modbus and how much one request of each may ask.
//
// Modbus Application Protocol V1.1b3, section 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lightship::modbus {

enum class Function : std::uint8_t {
  read_coils = 1,
  read_discrete_inputs = 2,
  read_holding_registers = 3,
  read_input_registers = 4,
  write_coil = 5,
  write_register = 6,
  read_exception_status = 7,
  diagnostics = 8,
  comm_event_counter = 11,
  comm_event_log = 12,
  write_coils = 15,
  write_registers = 16,
  report_server_id = 17,
  read_file_record = 20,
  write_file_record = 21,
  mask_write_register = 22,
  read_write_registers = 23,
  read_fifo_queue = 24,
  read_device_identification = 43,  // with the MEI type 14, the only one spoken here
};

// An answer that refuses carries its function with this bit set.
inline constexpr std::uint8_t kExceptionBit = 0x80;
inline constexpr std::uint8_t kIdentificationMei = 14;
inline constexpr std::uint8_t kBroadcast = 0;  // on serial lines; over TCP unit 0 is "this device"
inline constexpr std::uint16_t kCoilOn = 0xFF00;

inline constexpr std::size_t kMaxPdu = 253;
inline constexpr std::uint16_t kMaxReadBits = 2000;
inline constexpr std::uint16_t kMaxReadRegisters = 125;
inline constexpr std::uint16_t kMaxWriteBits = 1968;
inline constexpr std::uint16_t kMaxWriteRegisters = 123;
inline constexpr std::uint16_t kMaxReadWriteRegisters = 121;  // what 23 may write; it may read 125
inline constexpr std::uint16_t kMaxFifo = 31;
inline constexpr std::size_t kMaxEvents = 64;
inline constexpr std::uint16_t kMaxFileRecord = 9999;
inline constexpr std::uint8_t kFileReference = 6;  // the only reference type of 20 and 21

constexpr std::uint8_t code(Function function) { return static_cast<std::uint8_t>(function); }

bool is_known(std::uint8_t function_code);

// "read holding registers"; "unknown function" for a code that is none.
std::string_view name(Function function);

constexpr bool is_bit_read(Function f) {
  return f == Function::read_coils || f == Function::read_discrete_inputs;
}
constexpr bool is_register_read(Function f) {
  return f == Function::read_holding_registers || f == Function::read_input_registers;
}
constexpr bool is_read(Function f) { return is_bit_read(f) || is_register_read(f); }

// Changes something in the device: 5, 6, 15, 16, 21, 22, 23.
bool is_write(Function function);

// A good answer may be the request, byte for byte: 5, 6, 8, 21, 22.
bool may_echo(Function function);

// The most that one request of functions 1-4, 15, 16 may count; 0 for the others.
std::uint16_t max_count(Function function);

}  // namespace lightship::modbus
