// Declares the keys of modbus_tcp_gateway.
#include "sinks/modbus_gateway/config.h"

#include <boost/asio/ip/address.hpp>

namespace lightship::gateway {
namespace {

using modbus::DataType;

constexpr std::uint16_t kFirstFreePort = 1024;

std::string default_type(Aspect aspect) {
  switch (aspect) {
    case Aspect::value:
      return "float32";
    case Aspect::age_ms:
      return "uint32";
    case Aspect::quality:
      return "uint16";
  }
  return "float32";
}

// Types that share a register with others cannot be laid out alone.
bool is_part_of_a_register(std::string_view name) {
  return name == "bit" || name == "bits" || name.starts_with("uint8") || name.starts_with("int8");
}

std::vector<std::string> types_of_whole_registers() {
  auto names = modbus::data_type_names();
  std::erase_if(names, is_part_of_a_register);
  return names;
}

void complete(config::Fields& f, MapEntry& c) {
  const auto type =
      modbus::parse_data_type(c.data_type.empty() ? default_type(c.aspect) : c.data_type);
  if (!type || is_part_of_a_register(c.data_type)) return;  // reported already
  c.spec.type = *type;
  if (auto order = modbus::parse_byte_order(c.byte_order))
    c.spec.order = *order;
  else
    f.error("byte_order", order.error().text);

  const std::uint16_t natural = modbus::registers_of(*type);
  c.spec.count = c.count != 0 ? c.count : natural;
  if (c.spec.count == 0) {
    f.error("data_type", fmt::format("data_type {} needs count: how many registers it takes",
                                     modbus::name(*type)));
    c.spec.count = 1;
  } else if (!modbus::allows_count(*type, c.spec.count)) {
    f.error("count", fmt::format("count {} does not fit data_type {}, expected {}", c.spec.count,
                                 modbus::name(*type), modbus::allowed_counts(*type)));
  }
  f.check(c.aspect == Aspect::value || *type != DataType::string, "data_type",
          "an age or a quality is a number");
  f.check(c.end() <= 65536, "address",
          fmt::format("address {} with {} registers ends past 65535", c.address, c.spec.count));
}

void check_addresses(config::Fields& f, GatewayConfig& c) {
  c.allowed.clear();
  for (const auto& text : c.allow_from) {
    auto block = AddressBlock::parse(text);
    if (!block) {
      f.error("allow_from", block.error().text);
      continue;
    }
    if (block->has_host_bits()) {
      f.warning("allow_from", fmt::format("'{}' stands for all of {}", text, block->text()));
    }
    c.allowed.push_back(*block);
  }
  if (!c.enabled) return;

  boost::system::error_code is_a_name;
  const auto address = boost::asio::ip::make_address(c.host, is_a_name);
  if (!is_a_name && address.is_unspecified() && c.allow_from.empty()) {
    f.warning("host",
              fmt::format(
                  "{} listens on all addresses, and without allow_from anybody who reaches one of "
                  "them may read",
                  c.host));
  }
  if (c.port < kFirstFreePort) {
    f.note(
        "port",
        fmt::format("{} is below 1024: without root it needs the capability CAP_NET_BIND_SERVICE "
                    "(systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)",
                    c.port));
  }
}

}  // namespace

void describe(config::Fields& f, MapEntry& c) {
  f.value("unit", c.unit, "unit id of its own, not one of a device").required();
  f.value("address", c.address, "first register").required();
  f.value("point", c.point, "CONNECTION/DEVICE/POINT")
      .required()
      .sized(1)
      .example("main-panel/meter-1/voltage_l1");
  f.choice("field", c.aspect,
           {{"value", Aspect::value}, {"age_ms", Aspect::age_ms}, {"quality", Aspect::quality}},
           "value, age_ms (milliseconds since it arrived) or quality (0 good, 1 timeout, 2 "
           "exception, 3 crc, "
           "4 not available, 5 out of range, 6 stale)");
  f.value("data_type", c.data_type,
          "float32 unless said for a value, uint32 for age_ms, uint16 for quality")
      .one_of(types_of_whole_registers());
  f.value("byte_order", c.byte_order,
          "big (ABCD), little (DCBA), big_swap (BADC), little_swap (CDAB)");
  f.value("count", c.count, "registers of a string or mod10k").between(1, 125);
  if (f.describing()) return;
  c.at = f.position();
  c.point_at = f.position("point");
  complete(f, c);
}

void describe(config::Fields& f, GatewayConfig& c) {
  f.value("enabled", c.enabled, "answer Modbus TCP reads from the cache; off: the port is closed");
  f.value("host", c.host, "address to listen on; 0.0.0.0 or :: for all of them").sized(1);
  f.value("port", c.port, "TCP port").between(1, 65535);
  f.value("cache_ttl", c.cache_ttl, "a value older than this is answered with exception 0x0B")
      .at_least(std::chrono::milliseconds(100));
  f.list("allow_from", c.allow_from, "addresses that may connect; absent: all")
      .sized(1)
      .example("[10.0.0.0/8]");
  f.value("pass_through", c.pass_through, "ask the device for what is not in the cache");
  f.value("max_clients", c.max_clients, "connections at a time").between(1, 20000);
  f.items("map", c.map, "points laid into registers under unit ids of their own");
  if (f.describing()) return;
  c.at = f.position();
  c.fingerprint = config::fingerprint(f);
  check_addresses(f, c);
}

}  // namespace lightship::gateway
