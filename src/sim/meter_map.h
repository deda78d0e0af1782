// A simulated energy meter as its registers: the maps of meters/schneider_em6400.yaml and
// meters/elmeasure_lg5310.yaml. Values are made when they are read; nothing can be written.
#pragma once

#include "codec/modbus/server.h"
#include "sim/meter_model.h"

namespace lightship::sim {

enum class MeterFamily { schneider_em6400, elmeasure_lg5310 };

class MeterMap final : public modbus::DataMap {
 public:
  // `clock` outlives the map.
  MeterMap(MeterFamily family, MeterTraits traits, const Clock& clock);

  bool serves(modbus::Space space, std::uint16_t address, std::uint16_t count) const override;
  std::optional<modbus::Exception> read(modbus::Space space, std::uint16_t address,
                                        modbus::Bits& bits) override;
  std::optional<modbus::Exception> read(modbus::Space space, std::uint16_t address,
                                        std::span<std::uint16_t> registers) override;
  std::optional<modbus::Exception> write(std::uint16_t address, const modbus::Bits& coils) override;
  std::optional<modbus::Exception> write(std::uint16_t address,
                                         std::span<const std::uint16_t> registers) override;
  std::map<std::uint8_t, std::string> identity() const override;

 private:
  void put_float(std::uint16_t address, double value);  // low word first
  void put_u32(std::uint16_t address, std::uint32_t value);
  void fill_em6400(const Supply& supply);
  void fill_lg5310(const Supply& supply, Time now);

  MeterFamily family_;
  const Clock& clock_;
  MeterModel model_;
  Time started_;
  std::uint16_t first_;
  std::vector<std::uint16_t> registers_;
};

}  // namespace lightship::sim
