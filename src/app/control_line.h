// A line of the control socket taken apart: whatever somebody sends, it is a command within its
// bounds or an error. Without a gateway around it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "core/register_image.h"

namespace lightship::app {

struct ControlLine {
  std::string command;
  boost::json::object request;
};
// Errc::invalid: no JSON object with a text under "do".
Result<ControlLine> control_line(std::string_view line);

// {"error":{"code","detail","text"}}, without an end of line.
std::string error_line(const Error& error);

// Empty: it is not there, or is no text.
std::string text_of(const boost::json::object& request, std::string_view key);
// `otherwise`: it is not there, or is no whole number.
std::int64_t number_of(const boost::json::object& request, std::string_view key,
                       std::int64_t otherwise);

struct ReadRequest {
  std::string device;
  Space space = Space::holding;
  std::uint16_t first = 0, count = 0;
  Duration limit{};
};
Result<ReadRequest> read_request(const boost::json::object& request);

struct WriteRequest {
  std::string device, point, value;
  std::optional<std::string> expected;
  Duration limit{};
};
WriteRequest write_request(const boost::json::object& request);

}  // namespace lightship::app
