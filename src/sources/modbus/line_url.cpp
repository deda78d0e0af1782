// Lines as URLs.
#include "sources/modbus/line_url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace lightship::poller {
namespace {

constexpr const char* kForms =
    "tcp://HOST[:502], udp://HOST[:502], rtu+tcp://HOST:PORT, "
    "rtu:///dev/ttyX?baud=9600&parity=N&stop=1&data=8 or "
    "ascii:///dev/ttyX?...";

Result<unsigned> number(std::string_view key, std::string_view text, unsigned low, unsigned high) {
  unsigned value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    return fail(Errc::invalid, "{}={} is not a number from {} to {}", key, text, low, high);
  }
  return value;
}

Result<void> take_parameter(ConnectionConfig& line, const std::string& key,
                            const std::string& value) {
  if (key == "baud") {
    const auto baud = number(key, value, 50, 4'000'000);
    if (!baud) return fail(baud.error());
    line.baud_rate = *baud;
  } else if (key == "stop") {
    const auto stop = number(key, value, 1, 2);
    if (!stop) return fail(stop.error());
    line.stop_bits = *stop;
  } else if (key == "data") {
    const auto data = number(key, value, 7, 8);
    if (!data) return fail(data.error());
    line.data_bits = static_cast<int>(*data);
  } else if (key == "parity") {
    if (value.size() != 1 || std::string_view("NEOMS").find(value) == std::string_view::npos) {
      return fail(Errc::invalid, "parity={} is none of N, E, O, M, S", value);
    }
    line.parity = static_cast<link::Parity>(value.front());
  } else {
    return fail(Errc::invalid, "'{}' is not known of a line; known are baud, parity, stop, data",
                key);
  }
  return {};
}

}  // namespace

Result<ConnectionConfig> parse_line_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed)
    return fail(Errc::invalid, "'{}' is not the URL of a line; expected {}", text, kForms);
  const boost::urls::url_view url = *parsed;
  const std::string scheme(url.scheme().data(), url.scheme().size());
  ConnectionConfig line;
  line.id = "line";
  if (scheme == "tcp")
    line.type = LineType::tcp;
  else if (scheme == "udp")
    line.type = LineType::udp;
  else if (scheme == "rtu+tcp")
    line.type = LineType::rtu_over_tcp;
  else if (scheme == "rtu")
    line.type = LineType::serial;
  else if (scheme == "ascii")
    line.type = LineType::ascii;
  else
    return fail(Errc::invalid, "'{}://' is not known; expected {}", scheme, kForms);

  if (line.is_serial_port()) {
    line.port = url.path();
    if (line.port.size() < 2 || !url.host().empty()) {
      return fail(Errc::invalid, "'{}' names no device; expected {}:///dev/ttyX", text, scheme);
    }
    for (const auto& parameter : url.params()) {
      if (auto taken =
              take_parameter(line, std::string(parameter.key), std::string(parameter.value));
          !taken) {
        return fail(taken.error());
      }
    }
    return line;
  }
  line.host = url.host();
  if (line.host.empty())
    return fail(Errc::invalid, "'{}' names no host; expected {}", text, kForms);
  if (url.has_port()) {
    // Boost's port_number() wraps around.
    const auto port = number("port", {url.port().data(), url.port().size()}, 1, 65535);
    if (!port) return fail(port.error());
    line.tcp_port = static_cast<std::uint16_t>(*port);
  } else if (line.type == LineType::rtu_over_tcp) {
    return fail(Errc::invalid, "rtu+tcp has no usual port; expected rtu+tcp://HOST:PORT");
  }
  return line;
}

}  // namespace lightship::poller
