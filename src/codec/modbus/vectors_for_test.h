// The golden vectors of tests/vectors/modbus.json, for the tests of this folder.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include <boost/json.hpp>

#include "base/hex.h"
#include "codec/modbus/server.h"

namespace lightship::modbus {

inline const boost::json::object& vectors() {
  static const auto kVectors = [] {
    std::ifstream file(LIGHTSHIP_SOURCE_DIR "/tests/vectors/modbus.json");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return boost::json::parse(text).as_object();
  }();
  return kVectors;
}

inline std::string text_of(const boost::json::value& entry, std::string_view key) {
  const auto* found = entry.as_object().if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

inline ByteVector bytes_of(const boost::json::value& entry, std::string_view key) {
  return hex(text_of(entry, key));
}

// "frame" is one text or the pieces in which it came.
inline std::vector<ByteVector> pieces_of(const boost::json::value& entry) {
  const auto& frame = entry.at("frame");
  if (frame.is_string()) return {bytes_of(entry, "frame")};
  std::vector<ByteVector> pieces;
  for (const auto& piece : frame.as_array()) pieces.push_back(hex(std::string(piece.as_string())));
  return pieces;
}

inline ByteVector joined(const std::vector<ByteVector>& pieces) {
  ByteVector all;
  for (const auto& piece : pieces) put_bytes(all, piece);
  return all;
}

// The map the vectors were recorded with.
inline MemoryMap golden_map() {
  MemoryMap map(300);
  for (unsigned at = 0; at < 300; ++at) {
    map.coils[at] = (7 * at + 3) % 5 < 2;
    map.discrete_inputs[at] = (3 * at + 1) % 4 == 0;
    map.holding[at] = static_cast<std::uint16_t>(0x1000 + 0x0101 * at);
    map.input[at] = static_cast<std::uint16_t>(0xA5A5 ^ (0x0203 * at));
  }
  const std::string_view id = "Lightship-LS-SIM-1.0\xFF";
  map.id.assign(id.begin(), id.end());
  map.objects = {{0, "Lightship"},     {1, "LS-SIM"}, {2, "1.0"}, {3, "http://example.test/"},
                 {4, "Golden device"}, {5, "G1"}};
  return map;
}

}  // namespace lightship::modbus
