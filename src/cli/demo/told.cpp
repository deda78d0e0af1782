// One GET, and the JSON that comes back.
#include "cli/demo/told.h"

#include <boost/json.hpp>

#include "base/text.h"
#include "link/tcp.h"

namespace lightship::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMuch = 4 << 20;

const json::value* member(const json::value& value, std::string_view key) {
  return value.is_object() ? value.get_object().if_contains(key) : nullptr;
}
std::string text(const json::value& value, std::string_view key) {
  const auto* found = member(value, key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}
double number(const json::value& value, std::string_view key) {
  const auto* found = member(value, key);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}
const json::array& list(const json::value& value, std::string_view key) {
  static const json::array nothing;
  const auto* found = member(value, key);
  return found != nullptr && found->is_array() ? found->get_array() : nothing;
}

void take_part(Told& told, const json::value& part) {
  const auto name = text(part, "name");
  if (const auto& devices = list(part, "devices"); !devices.empty()) {
    told.lines.push_back({name.substr(name.find('/') + 1), text(part, "line"),
                          number(part, "busy_percent"), text(part, "error")});
    for (const auto& device : devices) {
      const auto* online = member(device, "online");
      told.devices[text(device, "id")] = {
          online != nullptr && online->is_bool() && online->get_bool(), text(device, "condition"),
          number(device, "answer_ms")};
    }
  }
  if (name == "mqtt" || name.starts_with("mqtt/")) {
    if (const auto* waiting = member(part, "waiting"); waiting != nullptr && waiting->is_number())
      told.waiting = waiting->to_number<std::uint64_t>();
    told.broker_error = text(part, "error");
  }
}

}  // namespace

Result<Told> read_status(std::string_view body) {
  boost::system::error_code wrong;
  const auto status = json::parse({body.data(), body.size()}, wrong);
  if (wrong) return fail(Errc::malformed, "the status is no JSON: {}", wrong.message());
  Told told;
  for (const auto& part : list(status, "parts")) take_part(told, part);
  return told;
}

// HTTP/1.0, so that the body ends with the connection and comes in one piece.
Task<Result<std::string>> http_get(Clock& clock, std::uint16_t port, std::string path,
                                   Duration limit) {
  const auto until = clock.mono() + limit;
  auto line = co_await link::dial_tcp(clock, "127.0.0.1", port, limit);
  if (!line) co_return fail(line.error());
  const std::string request =
      fmt::format("GET {} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", path, port);
  auto written = co_await (*line)->write(
      {reinterpret_cast<const std::uint8_t*>(request.data()), request.size()});
  if (!written) co_return fail(written.error());
  std::string heard;
  std::array<std::uint8_t, 16384> bytes;
  for (;;) {
    const auto count = co_await (*line)->read_some(bytes, until);
    if (!count && count.error().code != Errc::closed) co_return fail(count.error());
    if (!count) break;
    heard.append(reinterpret_cast<const char*>(bytes.data()), *count);
    if (heard.size() > kMuch) co_return fail(Errc::malformed, "more than {} bytes", kMuch);
  }
  const auto end = heard.find("\r\n\r\n");
  const auto words = split(std::string_view(heard).substr(0, heard.find("\r\n")), ' ');
  if (end == std::string::npos || words.size() < 2) co_return fail(Errc::malformed, "no HTTP");
  if (words[1] != "200") co_return fail(Errc::refused, "HTTP status {}", words[1]);
  co_return heard.substr(end + 4);
}

}  // namespace lightship::cli
