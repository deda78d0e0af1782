// A Modbus server without a wire: a request's PDU in, the answer's PDU out.
//
// For simulators and tests. Checks in the order of the standard: function known (else 1), count
// within the limit (else 3), range served (else 2), then executes (else what the map says). Served
// are functions 1-8, 15-17, 22, 23 and 43/14.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "codec/modbus/bits.h"
#include "codec/modbus/exception.h"

namespace lightship::modbus {

enum class Space : std::uint8_t { coils, discrete_inputs, input_registers, holding_registers };

class DataMap {
 public:
  virtual ~DataMap() = default;

  virtual bool serves(Space space, std::uint16_t address, std::uint16_t count) const = 0;

  // Called for served ranges only. What they return is answered instead of the data: 4, 5, 6 ...
  virtual std::optional<Exception> read(Space space, std::uint16_t address, Bits& bits) = 0;
  virtual std::optional<Exception> read(Space space, std::uint16_t address,
                                        std::span<std::uint16_t> registers) = 0;
  virtual std::optional<Exception> write(std::uint16_t address, const Bits& coils) = 0;
  virtual std::optional<Exception> write(std::uint16_t address,
                                         std::span<const std::uint16_t> registers) = 0;

  virtual std::uint8_t exception_status() const { return 0; }  // function 7
  virtual ByteVector server_id() const { return {}; }          // function 17; none: exception 1
  virtual std::map<std::uint8_t, std::string> identity() const {
    return {};
  }  // function 43/14; the same
};

// A DataMap of plain memory: four spaces from address 0.
class MemoryMap : public DataMap {
 public:
  explicit MemoryMap(std::size_t size)
      : coils(size), discrete_inputs(size), input(size), holding(size) {}

  bool serves(Space space, std::uint16_t address, std::uint16_t count) const override;
  std::optional<Exception> read(Space space, std::uint16_t address, Bits& bits) override;
  std::optional<Exception> read(Space space, std::uint16_t address,
                                std::span<std::uint16_t> registers) override;
  std::optional<Exception> write(std::uint16_t address, const Bits& values) override;
  std::optional<Exception> write(std::uint16_t address,
                                 std::span<const std::uint16_t> values) override;
  ByteVector server_id() const override { return id; }
  std::map<std::uint8_t, std::string> identity() const override { return objects; }

  std::vector<bool> coils, discrete_inputs;
  std::vector<std::uint16_t> input, holding;
  ByteVector id;
  std::map<std::uint8_t, std::string> objects;
};

// The answer's PDU; empty when nothing is to be answered: to no bytes at all, to a broadcast (unit
// 0, whose writes are done), to the change into listen-only mode. A TCP server, where unit 0 means
// this device, passes 255 for it. Which units are its own is the caller's business: it stays silent
// for others.
ByteVector answer(DataMap& map, std::uint8_t unit, Bytes request_pdu);

}  // namespace lightship::modbus
