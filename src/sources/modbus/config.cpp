// Declares the keys of connections, devices, registers and meters.
#include "sources/modbus/config.h"

#include <algorithm>

#include "base/hex.h"
#include "base/text.h"

namespace lightship::poller {

using namespace std::chrono_literals;
using config::Fields;

void describe(Fields& f, RegisterConfig& c) {
  if (!f.describing()) c.at = f.position();
  f.value("address", c.address, "wire address, counted from 0").required();
  f.value("count", c.count, "registers or bits; absent: as the data type needs").between(1, 125);
  f.value("function", c.function,
          "1 coils, 2 discrete inputs, 3 holding registers, 4 input registers")
      .between(1, 4);
  f.value("data_type", c.data_type, "what the registers hold").one_of(modbus::data_type_names());
  f.value("byte_order", c.byte_order,
          "big (ABCD), little (DCBA), big_swap (BADC), little_swap (CDAB), or the letters");
  f.value("scale", c.scale, "value = raw x scale + offset");
  f.value("offset", c.offset, "see scale");
  f.value("scale_register", c.scale_register, "name of the point that holds the power of ten");
  f.value("unit", c.unit, "unit of the value").example("V");
  f.value("bit", c.bit, "which bit, for data_type bit").between(0, 15);
  f.value("shift", c.shift, "lowest bit, for data_type bits").between(0, 31);
  f.value("width", c.width, "how many bits, for data_type bits").between(1, 32);
  f.value("chars", c.chars, "which bytes of a register are characters, for data_type string")
      .one_of({"swapped", "low", "high"});
  f.map("enum", c.names, "names of the values").example("{4: mppt}");
  f.one_or_list("not_available", c.not_available, "raw values that mean \"no value\", in hex")
      .example("[\"8000\"]");
  f.value("min", c.min, "below it the quality is bad");
  f.value("max", c.max, "above it the quality is bad");
  f.value("alarm", c.alarm, "read before other points, and with a request of its own");
  f.value("writable", c.writable,
          "true: may be written by name; false: not through the Modbus gateway either");
  f.list("range", c.range, "lowest and highest value that may be written").sized(2, 2);
  f.value("alone", c.alone, "read in a request of its own: the device answers it only so");
  f.value("step", c.step, "only multiples of it are written, counted from the lowest of range");
  f.value("min_write_interval", c.min_write_interval, "time between two writes of this register")
      .at_most(24h);
  f.value("confidence", c.confidence, "how sure the address is")
      .one_of({"multi", "single", "model", "convention"});
  f.value("source", c.source, "where the fact comes from");
  f.value("notes", c.notes, "a remark for people");
  if (f.describing()) return;

  if (const auto order = modbus::parse_byte_order(c.byte_order); !order)
    f.error("byte_order", order.error().text);
  for (const auto& mark : c.not_available) {
    if (const auto bytes = from_hex(mark); !bytes || bytes->empty()) {
      f.error("not_available", fmt::format("'{}' is not a hex number such as \"8000\"", mark));
    }
  }
  const auto type = modbus::parse_data_type(c.data_type);
  if (!type) return;
  const bool bits = c.function <= 2;
  if (bits) {
    f.check(*type == modbus::DataType::boolean || !f.has("data_type"), "data_type",
            "coils and discrete inputs (function 1 and 2) are bool");
    f.check(!c.count || *c.count == 1, "count", "a coil or discrete input is 1 bit");
  } else {
    f.check(c.count || modbus::registers_of(*type) > 0, "data_type",
            fmt::format("data_type {} needs a count of registers", c.data_type));
    f.check(
        !c.count || modbus::allows_count(*type, *c.count), "count",
        fmt::format("data_type {} takes {} registers", c.data_type, modbus::allowed_counts(*type)));
  }
  f.check(!c.min || !c.max || *c.min <= *c.max, "max", "must not be below min");
  f.check(!c.writable.value_or(false) || c.function == 1 || c.function == 3, "writable",
          fmt::format("what function {} reads cannot be written", c.function));
  f.check(c.range.size() != 2 || c.range[0] <= c.range[1], "range", "the lowest value comes first");
  f.check(!c.step || *c.step > 0, "step", "must be above 0");
  f.check(c.range.empty() || *type != modbus::DataType::string, "range", "a text has no range");
  f.check(!c.step || *type != modbus::DataType::string, "step", "a text has no step");
  f.check(std::uint32_t{c.address} + wire_count(c) <= 65536, "address", "ends past register 65535");
  f.check(c.scale != 0, "scale", "a scale of 0 makes every value 0");
}

void describe(Fields& f, LimitsConfig& c) {
  f.value("max_registers", c.max_registers, "most registers the device gives in one answer")
      .between(1, 125);
  f.value("max_gap", c.max_gap,
          "registers read in vain to save a request; absent: as the line makes it worth while")
      .between(0, 124);
  f.value("pause_after_answer", c.pause_after_answer,
          "what the device needs before the next request")
      .at_most(10s);
  f.value("in_flight", c.in_flight, "requests the device takes before it has answered the first")
      .between(1, 16);
  f.value("answers_as", c.answers_as, "unit id in its answers, where it is not the one asked")
      .between(0, 255);
  f.value("learn", c.learn,
          "false: nothing is learned of the device's holes, limit and pause, and no gap is read "
          "along unless max_gap says so");
}

void describe(Fields& f, PollGroupConfig& c) {
  if (!f.describing()) {
    c.at = f.position();
    c.points_at = f.position("points");
  }
  f.value("interval", c.interval, "time between two readings of these points")
      .required()
      .between(10ms, 7 * 24h);
  f.list("points", c.points, "names of points of the device")
      .required()
      .sized(1)
      .example("[active_power_total]");
}

void describe(Fields& f, DeviceConfig& c) {
  config::describe_client(f, c);
  if (!f.describing()) {
    c.model_at = f.position("meter_model");
    c.profile_at = f.position("profile");
  }
  f.value("unit_id", c.unit_id, "Modbus unit: 1 to 247; 0 and 255 only over TCP and UDP")
      .required()
      .between(0, 255);
  f.value("meter_model", c.meter_model, "the meter's id in the registry")
      .example("schneider_em6400");
  f.value("profile", c.profile, "the set of points to read; absent: all of them")
      .example("basic_power");
  f.map("registers", c.registers, "points of its own, beside or instead of a meter_model")
      .pattern_id();
  f.items("poll_groups", c.poll_groups,
          "points that are read more often or more seldom than at poll_interval");
  f.section("limits", c.limits, "what the device can take");
  f.value("max_writes_per_minute", c.max_writes_per_minute,
          "writes to the device within a minute; more are refused; 0: no limit")
      .at_most(1'000'000);
  if (f.describing()) return;
  c.write_at = f.position("allow_write");
  c.unit_known = !f.is_wrong("unit_id") && !f.is_wrong("gateway_unit_id");
  f.check(!c.allow_write || c.unit_id != 0, "allow_write",
          "a write to unit 0 is a broadcast to every device of a line, and is never sent");
  f.check(!c.meter_model.empty() || !c.registers.empty(), "id",
          "nothing to read: give the device a meter_model or registers");
  f.check(c.profile.empty() || !c.meter_model.empty(), "profile", "a profile needs a meter_model");
}

void describe(Fields& f, ConnectionConfig& c) {
  if (!f.describing()) {
    c.at = f.position("id");
    c.port_at = f.position("port");
  }
  f.value("id", c.id, "the connection's name").required().pattern_id().example("main-panel");
  f.value("label", c.label, "a text for people");
  f.choice("connection_type", c.type,
           {{"serial", LineType::serial},
            {"tcp", LineType::tcp},
            {"rtu_over_tcp", LineType::rtu_over_tcp},
            {"ascii", LineType::ascii},
            {"udp", LineType::udp}},
           "how Modbus travels: serial is RTU on a port, ascii the same port in ASCII")
      .required();
  const bool serial = f.describing() || c.is_serial_port();
  const bool network = f.describing() || !c.is_serial_port();
  if (f.describing() || c.is_serial_port()) {
    f.value("port", c.port,
            "serial: the device file, best by its stable name; else the port number, 502")
        .required()
        .sized(1)
        .example("/dev/serial/by-id/usb-FTDI-if00");
  } else {
    f.value("port", c.tcp_port, "port number").between(1, 65535);
  }
  f.value("baud_rate", c.baud_rate, "absent: the meter's default_baud_rate, else 9600")
      .between(50, 4'000'000)
      .only_with(serial, "connection_type serial or ascii");
  f.choice("parity", c.parity,
           {{"N", link::Parity::none},
            {"E", link::Parity::even},
            {"O", link::Parity::odd},
            {"M", link::Parity::mark},
            {"S", link::Parity::space},
            {"none", link::Parity::none},
            {"even", link::Parity::even},
            {"odd", link::Parity::odd}},
           "parity bit")
      .only_with(serial, "connection_type serial or ascii");
  f.value("stop_bits", c.stop_bits, "1 or 2")
      .one_of_numbers({1, 2})
      .only_with(serial, "connection_type serial or ascii");
  f.value("data_bits", c.data_bits, "7 or 8")
      .one_of_numbers({7, 8})
      .only_with(serial, "connection_type serial or ascii");
  f.section_with("rs485", "direction control of an RS-485 driver", [&](Fields& g) {
     g.choice("direction", c.rs485.direction,
              {{"off", link::Direction::off},
               {"auto", link::Direction::automatic},
               {"on", link::Direction::on}},
              "off: the adapter switches by itself; auto: the kernel where it can; on: the kernel, "
              "or an error");
     g.value("delay_before", c.rs485.rts_before, "from switching to the first bit").at_most(100ms);
     g.value("delay_after", c.rs485.rts_after, "from the last bit to switching back")
         .at_most(100ms);
     g.value("rx_during_tx", c.rs485.rx_during_tx, "leave the receiver on while sending");
     g.value("echo", c.echo, "the adapter gives back what is sent");
   }).only_with(serial, "connection_type serial or ascii");
  f.value("host", c.host, "name or address")
      .sized(1)
      .only_with(network, "connection_type tcp, rtu_over_tcp or udp")
      .example("192.0.2.100");
  f.value("timeout", c.timeout,
          "longest wait for an answer; the wait is learned from the device below it")
      .between(10ms, 60s);
  f.value("retries", c.retries, "further tries after a time-out or a damaged answer").at_most(10);
  f.value("pause_after_connect", c.pause_after_connect,
          "what the device needs after a new connection")
      .at_most(60s)
      .only_with(network, "connection_type tcp, rtu_over_tcp or udp");
  f.items("clients", c.clients, "the devices behind the connection");
  if (f.describing()) return;

  c.fingerprint = config::fingerprint(f);
  if (!c.is_serial_port()) {
    if (!f.has("host"))
      f.error("id",
              "connection_type " + f.text("connection_type").value_or("tcp") + " needs a host");
    return;
  }
  f.check(c.type != LineType::serial || c.data_bits == 8, "data_bits",
          "Modbus RTU needs 8 data bits");
}

std::uint16_t wire_count(const RegisterConfig& c) {
  if (c.function <= 2) return 1;
  if (c.count) return *c.count;
  const auto type = modbus::parse_data_type(c.data_type);
  return type ? std::max<std::uint16_t>(1, modbus::registers_of(*type)) : std::uint16_t{1};
}

modbus::PointSpec point_spec(const RegisterConfig& c) {
  modbus::PointSpec spec;
  spec.type = c.function <= 2
                  ? modbus::DataType::boolean
                  : modbus::parse_data_type(c.data_type).value_or(modbus::DataType::uint16);
  spec.order = modbus::parse_byte_order(c.byte_order).value_or(modbus::ByteOrder::big);
  spec.count = wire_count(c);
  spec.scale = c.scale;
  spec.offset = c.offset;
  spec.decimals = modbus::decimals_of(c.scale, c.offset);
  spec.bit = c.bit;
  spec.shift = c.shift;
  spec.width = c.width;
  if (!c.chars.empty()) spec.chars = modbus::parse_chars(c.chars).value_or(modbus::Chars::both);
  for (const auto& mark : c.not_available) {
    auto bytes = from_hex(mark);
    if (!bytes) continue;
    bytes->insert(bytes->begin(),
                  bytes->size() < 2u * spec.count ? 2u * spec.count - bytes->size() : 0, 0);
    spec.not_available.push_back(std::move(*bytes));
  }
  for (const auto& [value, name] : c.names)
    spec.names.emplace(static_cast<std::uint64_t>(value), name);
  spec.min = c.min;
  spec.max = c.max;
  return spec;
}

std::shared_ptr<const WriteRule> write_rule(const RegisterConfig& c) {
  WriteRule rule;
  rule.writable = c.writable;
  if (c.range.size() == 2) {
    rule.least = c.range[0];
    rule.most = c.range[1];
  }
  rule.step = c.step;
  rule.min_interval = c.min_write_interval;
  if (rule == WriteRule{}) return nullptr;
  return std::make_shared<const WriteRule>(rule);
}

link::SerialSettings serial_settings(const ConnectionConfig& c,
                                     std::optional<unsigned> meter_baud) {
  link::SerialSettings settings;
  settings.device = c.port;
  settings.baud = c.baud_rate.value_or(meter_baud.value_or(9600));
  settings.data_bits = c.data_bits;
  settings.parity = c.parity;
  settings.stop_bits = c.stop_bits;
  settings.rs485 = c.rs485;
  return settings;
}

}  // namespace lightship::poller
