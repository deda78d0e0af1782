// The settings of the Modbus TCP gateway: `communication.modbus_tcp_gateway` of communication.yaml.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/modbus/decode_value.h"
#include "config/fields.h"
#include "sinks/modbus_gateway/address_block.h"

namespace lightship::gateway {

// What of a point is laid into registers.
enum class Aspect {
  value,
  age_ms,   // since it arrived; the largest number of the type when it never did
  quality,  // 0 good, else the Reason: 1 timeout, 2 exception, 3 crc, 4 not available, 5 out of
            // range, 6 stale
};

// One point of the house under a unit id and address of its own choice.
struct MapEntry {
  std::uint8_t unit = 0;
  std::uint16_t address = 0;
  std::string point;      // main-panel/meter-1/voltage_l1
  std::string data_type;  // empty: float32 for values, uint32 for ages, uint16 for the quality
  std::string byte_order = "big";
  std::uint16_t count = 0;  // registers of a string or mod10k; else 0
  Aspect aspect = Aspect::value;

  modbus::PointSpec spec;  // made of the three above
  config::Position at, point_at;

  std::uint32_t end() const { return std::uint32_t{address} + spec.count; }
};

struct GatewayConfig {
  bool enabled = false;
  std::string host = "127.0.0.1";
  std::uint16_t port = 4196;
  Duration cache_ttl = std::chrono::seconds(180);
  std::vector<std::string> allow_from;
  bool pass_through = false;
  unsigned max_clients = 2000;
  std::vector<MapEntry> map;

  std::vector<AddressBlock> allowed;  // allow_from, understood
  std::string fingerprint;
  config::Position at;
};

void describe(config::Fields& f, MapEntry& c);
void describe(config::Fields& f, GatewayConfig& c);

}  // namespace lightship::gateway
