// A simulated meter with any register map: what a meter file says, turned round. Values come from
// the same supply as those of every simulated meter; what is not a quantity of a supply (texts,
// states, serial numbers) stands still.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codec/modbus/decode_value.h"
#include "codec/modbus/server.h"
#include "sim/meter_model.h"

namespace lightship::sim {

struct SimPoint {
  std::string name;  // "voltage_l1": decides the value
  std::string unit;  // "kW": decides its size
  modbus::Space space = modbus::Space::holding_registers;
  std::uint16_t address = 0;
  modbus::PointSpec spec;
  std::string scale_register;
  bool alone = false;  // answered only when exactly it is asked for
};

class RegisterMeter final : public modbus::DataMap {
 public:
  struct Traits {
    MeterTraits supply;
    std::uint16_t max_registers = 125;  // more in one request: exception 2, as many meters do
  };

  // `clock` outlives the map.
  RegisterMeter(std::vector<SimPoint> points, Traits traits, const Clock& clock);

  // Registers that always hold this: the headers of SunSpec models, a fingerprint.
  void set(modbus::Space space, std::uint16_t first, const std::vector<std::uint16_t>& words);

  // What the point is to show now, before its registers round it; nothing for an unknown name.
  Value shows(const std::string& name);
  // The smallest step of the point's registers.
  double step(const std::string& name) const;

  bool serves(modbus::Space space, std::uint16_t address, std::uint16_t count) const override;
  std::optional<modbus::Exception> read(modbus::Space space, std::uint16_t address,
                                        modbus::Bits& bits) override;
  std::optional<modbus::Exception> read(modbus::Space space, std::uint16_t address,
                                        std::span<std::uint16_t> registers) override;
  std::optional<modbus::Exception> write(std::uint16_t address, const modbus::Bits& coils) override;
  std::optional<modbus::Exception> write(std::uint16_t address,
                                         std::span<const std::uint16_t> registers) override;

 private:
  using Place = std::pair<modbus::Space, std::uint16_t>;

  const SimPoint* find(const std::string& name) const;
  Value value_of(const SimPoint& point, const Supply& supply) const;
  std::optional<std::int16_t> power_of(const SimPoint& point) const;
  void choose_powers();
  void fill(const Supply& supply);
  void put(const SimPoint& point, std::map<Place, std::uint16_t>& into, const Supply& supply);

  std::vector<SimPoint> points_;
  Traits traits_;
  const Clock& clock_;
  MeterModel model_;
  std::map<std::string, std::int16_t> powers_;  // of the scale registers
  std::map<Place, std::uint16_t> registers_, fixed_;
};

}  // namespace lightship::sim
