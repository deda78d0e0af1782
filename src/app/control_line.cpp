// Takes lines of the control socket apart.
#include "app/control_line.h"

#include <algorithm>

#include <boost/json/parse.hpp>

#include "base/json_writer.h"

namespace lightship::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLongest = 2min;

Duration limit_of(const boost::json::object& request, Duration otherwise) {
  const auto ms = number_of(request, "timeout_ms", 0);
  if (ms <= 0) return otherwise;
  return std::min<Duration>(std::chrono::milliseconds(std::min<std::int64_t>(ms, 3'600'000)),
                            kLongest);
}

}  // namespace

std::string text_of(const boost::json::object& request, std::string_view key) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const boost::json::object& request, std::string_view key,
                       std::int64_t otherwise) {
  const auto* value = request.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : otherwise;
}

Result<ControlLine> control_line(std::string_view line) {
  boost::system::error_code wrong;
  auto parsed = boost::json::parse(line, wrong);
  auto* request = wrong ? nullptr : parsed.if_object();
  const auto* command = request == nullptr ? nullptr : request->if_contains("do");
  if (command == nullptr || !command->is_string())
    return fail(Errc::invalid, "{}", R"(a command is a JSON object such as {"do":"status"})");
  std::string name(command->get_string());
  return ControlLine{std::move(name), std::move(*request)};
}

std::string error_line(const Error& error) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("error").begin_object();
  json.member("code", to_string(error.code)).member("detail", error.detail);
  json.member("text", error.text).end_object().end_object();
  return text;
}

Result<ReadRequest> read_request(const boost::json::object& request) {
  const auto function = number_of(request, "function", 3);
  const auto first = number_of(request, "first", -1), count = number_of(request, "count", 0);
  if (function < 1 || function > 4 || first < 0 || first > 65535 || count < 1 || count > 2000 ||
      first + count > 65536)
    return fail(Errc::invalid, "no range of registers: function {}, first {}, count {}", function,
                first, count);
  return ReadRequest{text_of(request, "device"), static_cast<Space>(function),
                     static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(count),
                     limit_of(request, 5s)};
}

WriteRequest write_request(const boost::json::object& request) {
  WriteRequest write{.device = text_of(request, "device"),
                     .point = text_of(request, "point"),
                     .value = text_of(request, "value"),
                     .expected = {},
                     .limit = limit_of(request, 10s)};
  if (request.contains("expected")) write.expected = text_of(request, "expected");
  return write;
}

}  // namespace lightship::app
