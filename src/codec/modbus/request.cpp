// Requests -> PDUs, and in words.
#include "codec/modbus/request.h"

#include "base/text.h"
#include "codec/modbus/overload.h"

namespace lightship::modbus {
namespace {

void put_registers(ByteVector& out, const Registers& values) {
  for (const auto value : values) put_u16(out, value);
}

void put_head(ByteVector& out, Function function, std::uint16_t first, std::uint16_t second) {
  put_u8(out, code(function));
  put_u16(out, first);
  put_u16(out, second);
}

std::string_view noun(Function function) {
  if (function == Function::read_coils) return "coil";
  if (function == Function::read_discrete_inputs) return "discrete input";
  return function == Function::read_holding_registers ? "holding register" : "input register";
}

}  // namespace

Function function_of(const Request& request) {
  return std::visit(Overload{
                        [](const Read& r) { return r.function; },
                        [](const WriteCoil&) { return Function::write_coil; },
                        [](const WriteRegister&) { return Function::write_register; },
                        [](const Query& r) { return r.function; },
                        [](const Diagnose&) { return Function::diagnostics; },
                        [](const WriteCoils&) { return Function::write_coils; },
                        [](const WriteRegisters&) { return Function::write_registers; },
                        [](const ReadFile&) { return Function::read_file_record; },
                        [](const WriteFile&) { return Function::write_file_record; },
                        [](const MaskWrite&) { return Function::mask_write_register; },
                        [](const ReadWrite&) { return Function::read_write_registers; },
                        [](const ReadFifo&) { return Function::read_fifo_queue; },
                        [](const Identify&) { return Function::read_device_identification; },
                    },
                    request);
}

std::string describe(const Request& request) {
  return std::visit(
      Overload{
          [](const Read& r) {
            return fmt::format("read {} at {}", counted(r.count, noun(r.function)), r.address);
          },
          [](const WriteCoil& r) {
            return fmt::format("write coil {} {}", r.address, r.on ? "on" : "off");
          },
          [](const WriteRegister& r) {
            return fmt::format("write register {} = {}", r.address, r.value);
          },
          [](const Query& r) { return std::string(name(r.function)); },
          [](const Diagnose& r) {
            return fmt::format("diagnostics {:04X} {:04X}", r.sub_function, r.data);
          },
          [](const WriteCoils& r) {
            return fmt::format("write {} at {}", counted(r.values.count, "coil"), r.address);
          },
          [](const WriteRegisters& r) {
            return fmt::format("write {} at {}", counted(r.values.size(), "register"), r.address);
          },
          [](const ReadFile& r) {
            return fmt::format("read {}", counted(r.ranges.size(), "file record"));
          },
          [](const WriteFile& r) {
            return fmt::format("write {}", counted(r.records.size(), "file record"));
          },
          [](const MaskWrite& r) {
            return fmt::format("mask register {} with {:04X} {:04X}", r.address, r.and_mask,
                               r.or_mask);
          },
          [](const ReadWrite& r) {
            return fmt::format("write {} at {} and read {} at {}",
                               counted(r.values.size(), "register"), r.write_address, r.read_count,
                               r.read_address);
          },
          [](const ReadFifo& r) { return fmt::format("read FIFO at {}", r.address); },
          [](const Identify& r) {
            return fmt::format("identify, access {} object {}", r.access, r.object);
          },
      },
      request);
}

void append(ByteVector& out, const Request& request) {
  std::visit(
      Overload{
          [&](const Read& r) { put_head(out, r.function, r.address, r.count); },
          [&](const WriteCoil& r) {
            put_head(out, Function::write_coil, r.address, r.on ? kCoilOn : std::uint16_t{0});
          },
          [&](const WriteRegister& r) {
            put_head(out, Function::write_register, r.address, r.value);
          },
          [&](const Query& r) { put_u8(out, code(r.function)); },
          [&](const Diagnose& r) { put_head(out, Function::diagnostics, r.sub_function, r.data); },
          [&](const WriteCoils& r) {
            put_head(out, Function::write_coils, r.address, r.values.count);
            put_u8(out, static_cast<std::uint8_t>(r.values.packed.size()));
            put_bytes(out, r.values.packed);
          },
          [&](const WriteRegisters& r) {
            put_head(out, Function::write_registers, r.address,
                     static_cast<std::uint16_t>(r.values.size()));
            put_u8(out, static_cast<std::uint8_t>(2 * r.values.size()));
            put_registers(out, r.values);
          },
          [&](const ReadFile& r) {
            put_u8(out, code(Function::read_file_record));
            put_u8(out, static_cast<std::uint8_t>(7 * r.ranges.size()));
            for (const auto& range : r.ranges) {
              put_u8(out, kFileReference);
              put_u16(out, range.file);
              put_u16(out, range.record);
              put_u16(out, range.length);
            }
          },
          [&](const WriteFile& r) {
            put_u8(out, code(Function::write_file_record));
            const std::size_t size_at = out.size();
            put_u8(out, 0);
            for (const auto& record : r.records) {
              put_u8(out, kFileReference);
              put_u16(out, record.file);
              put_u16(out, record.record);
              put_u16(out, static_cast<std::uint16_t>(record.values.size()));
              put_registers(out, record.values);
            }
            out[size_at] = static_cast<std::uint8_t>(out.size() - size_at - 1);
          },
          [&](const MaskWrite& r) {
            put_head(out, Function::mask_write_register, r.address, r.and_mask);
            put_u16(out, r.or_mask);
          },
          [&](const ReadWrite& r) {
            put_head(out, Function::read_write_registers, r.read_address, r.read_count);
            put_u16(out, r.write_address);
            put_u16(out, static_cast<std::uint16_t>(r.values.size()));
            put_u8(out, static_cast<std::uint8_t>(2 * r.values.size()));
            put_registers(out, r.values);
          },
          [&](const ReadFifo& r) {
            put_u8(out, code(Function::read_fifo_queue));
            put_u16(out, r.address);
          },
          [&](const Identify& r) {
            put_u8(out, code(Function::read_device_identification));
            put_u8(out, kIdentificationMei);
            put_u8(out, r.access);
            put_u8(out, r.object);
          },
      },
      request);
}

ByteVector encode(const Request& request) {
  ByteVector out;
  out.reserve(8);
  append(out, request);
  return out;
}

}  // namespace lightship::modbus
