// The settings of Modbus lines and devices: connections and clients of slave_config.yaml, and
// meters.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/modbus/decode_value.h"
#include "config/client.h"
#include "link/serial_settings.h"
#include "sources/modbus/write_rule.h"

namespace lightship::poller {

enum class LineType { serial, tcp, rtu_over_tcp, ascii, udp };

// One register (or coil) in the registry's format, inline on a device or in a meter file.
struct RegisterConfig {
  std::uint16_t address = 0;
  std::optional<std::uint16_t> count;
  int function = 3;  // 1..4
  std::string data_type = "uint16";
  std::string byte_order = "big";
  double scale = 1, offset = 0;
  std::string scale_register;
  std::string unit;
  std::uint8_t bit = 0, shift = 0, width = 0;
  std::string chars;
  std::map<std::int64_t, std::string> names;  // enum
  std::vector<std::string> not_available;     // hex
  std::optional<double> min, max;
  bool alarm = false;
  std::optional<bool> writable;
  std::vector<double> range;
  bool alone = false;  // answered only in a request of its own
  std::optional<double> step;
  Duration min_write_interval{};
  std::string confidence, source, notes;
  config::Position at;
};
using Registers = std::vector<std::pair<std::string, RegisterConfig>>;

struct LimitsConfig {
  std::optional<std::uint16_t> max_registers;
  std::optional<std::uint16_t> max_gap;
  std::optional<Duration> pause_after_answer;
  std::optional<unsigned> in_flight;
  std::optional<std::uint8_t> answers_as;  // another unit id than asked, known to be this device
  std::optional<bool> learn;
};

// Points of a device that are read at an interval of their own.
struct PollGroupConfig {
  Duration interval{};
  std::vector<std::string> points;
  config::Position at, points_at;
};

struct DeviceConfig : config::ClientConfig {
  std::uint8_t unit_id = 1;
  std::string meter_model, profile;
  Registers registers;
  std::vector<PollGroupConfig> poll_groups;
  LimitsConfig limits;
  unsigned max_writes_per_minute = 6000;
  config::Position model_at, profile_at, write_at;
};

struct ConnectionConfig {
  std::string id, label;
  LineType type = LineType::tcp;
  // serial and ascii
  std::string port;
  std::optional<unsigned> baud_rate;
  link::Parity parity = link::Parity::none;
  double stop_bits = 1;
  int data_bits = 8;
  link::Rs485 rs485;
  bool echo = false;
  // the others
  std::string host;
  std::uint16_t tcp_port = 502;
  Duration timeout = std::chrono::seconds(3);
  unsigned retries = 3;
  Duration pause_after_connect{};
  std::vector<DeviceConfig> clients;
  config::Position at, port_at;
  std::string fingerprint;

  bool is_serial_port() const { return type == LineType::serial || type == LineType::ascii; }
};

// What a meter says of itself where it is asked for; identify.h.
struct FingerprintConfig {
  std::uint16_t address = 0, count = 1;
  int function = 3;
  std::vector<std::string> equals;   // hex: the registers, or their beginning
  std::vector<std::string> text;     // words that stand in the text of the registers
  std::vector<std::uint16_t> range;  // lowest and highest of one register
  std::string id;                    // which of the family it is; empty: the first
  std::string certainty = "certain";
};

// Addresses that count from the id register of a model; sunspec.h.
struct SunspecConfig {
  std::vector<std::uint16_t> models;
  std::vector<std::uint16_t> bases;  // empty: the usual ones
  std::vector<std::string> combine;  // meters whose points this one has, as the device has them
};

// A meter family of meters/ or meter_registry.yaml.
struct MeterConfig {
  std::string id;
  std::vector<std::string> also;  // further models with the same map
  std::string manufacturer, model, protocol = "modbus_rtu";
  std::optional<unsigned> default_baud_rate;
  std::vector<std::string> supported_profiles;
  std::map<std::string, std::vector<std::string>>
      profiles;  // a profile's points, where they differ from the rule
  LimitsConfig limits;
  std::string confidence, source;
  std::vector<std::string> quirks;
  Registers registers;
  struct Test {
    std::string request, answer;  // RTU frames in hex
    std::vector<std::pair<std::string, std::string>> values;
    config::Position at, request_at, answer_at;
    std::vector<config::Position> values_at;  // in the order of `values`
  };
  std::vector<Test> tests;
  std::optional<SunspecConfig> sunspec;
  std::vector<FingerprintConfig> identified_by;
  config::Position at, profiles_at;
  std::string fingerprint;  // of what the file says of it
};

void describe(config::Fields& f, RegisterConfig& c);
void describe(config::Fields& f, LimitsConfig& c);
void describe(config::Fields& f, PollGroupConfig& c);
void describe(config::Fields& f, DeviceConfig& c);
void describe(config::Fields& f, ConnectionConfig& c);
void describe(config::Fields& f, MeterConfig& c);
void describe(config::Fields& f, MeterConfig::Test& c);
void describe(config::Fields& f, FingerprintConfig& c);
void describe(config::Fields& f, SunspecConfig& c);

// The codec's description of the register; the configuration has been checked.
modbus::PointSpec point_spec(const RegisterConfig& c);

// What may be written to it; nothing when it says nothing of that.
std::shared_ptr<const WriteRule> write_rule(const RegisterConfig& c);

// Registers (or bits) that the point takes on the wire.
std::uint16_t wire_count(const RegisterConfig& c);

link::SerialSettings serial_settings(const ConnectionConfig& c, std::optional<unsigned> meter_baud);

}  // namespace lightship::poller
