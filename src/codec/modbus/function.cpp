// Names and limits of the functions.
#include "codec/modbus/function.h"

namespace lightship::modbus {

std::string_view name(Function function) {
  switch (function) {
    case Function::read_coils:
      return "read coils";
    case Function::read_discrete_inputs:
      return "read discrete inputs";
    case Function::read_holding_registers:
      return "read holding registers";
    case Function::read_input_registers:
      return "read input registers";
    case Function::write_coil:
      return "write coil";
    case Function::write_register:
      return "write register";
    case Function::read_exception_status:
      return "read exception status";
    case Function::diagnostics:
      return "diagnostics";
    case Function::comm_event_counter:
      return "comm event counter";
    case Function::comm_event_log:
      return "comm event log";
    case Function::write_coils:
      return "write coils";
    case Function::write_registers:
      return "write registers";
    case Function::report_server_id:
      return "report server id";
    case Function::read_file_record:
      return "read file record";
    case Function::write_file_record:
      return "write file record";
    case Function::mask_write_register:
      return "mask write register";
    case Function::read_write_registers:
      return "read/write registers";
    case Function::read_fifo_queue:
      return "read FIFO queue";
    case Function::read_device_identification:
      return "read device identification";
  }
  return "unknown function";
}

bool is_known(std::uint8_t function_code) {
  return name(static_cast<Function>(function_code)) != "unknown function";
}

bool is_write(Function function) {
  switch (function) {
    case Function::write_coil:
    case Function::write_register:
    case Function::write_coils:
    case Function::write_registers:
    case Function::write_file_record:
    case Function::mask_write_register:
    case Function::read_write_registers:
      return true;
    default:
      return false;
  }
}

bool may_echo(Function function) {
  switch (function) {
    case Function::write_coil:
    case Function::write_register:
    case Function::diagnostics:
    case Function::write_file_record:
    case Function::mask_write_register:
      return true;
    default:
      return false;
  }
}

std::uint16_t max_count(Function function) {
  if (is_bit_read(function)) return kMaxReadBits;
  if (is_register_read(function)) return kMaxReadRegisters;
  if (function == Function::write_coils) return kMaxWriteBits;
  if (function == Function::write_registers) return kMaxWriteRegisters;
  return 0;
}

}  // namespace lightship::modbus
