// Any bytes as a line of the control socket: a command within its bounds, or an error that is one
// line of JSON. Input: the line.
#include "app/control_line.h"

#include <boost/json/parse.hpp>

#include "modbus_input.h"

using namespace lightship;
using namespace lightship::app;
using fuzz::require;

namespace {

void check_error(const Error& error) {
  require(error.code == Errc::invalid && !error.text.empty());
  const auto line = error_line(error);
  require(line.find('\n') == line.npos);
  boost::system::error_code wrong;
  const auto parsed = boost::json::parse(line, wrong);
  require(!wrong && parsed.is_object() && parsed.get_object().contains("error"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto line = control_line(text);
  if (!line) {
    check_error(line.error());
    return 0;
  }
  constexpr Duration kLongest = std::chrono::minutes(2);
  if (const auto read = read_request(line->request)) {
    const auto space = static_cast<int>(read->space);
    require(space >= 1 && space <= 4 && read->count >= 1 && read->count <= 2000);
    require(std::uint32_t{read->first} + read->count <= 65536);
    require(read->limit > Duration{} && read->limit <= kLongest);
  } else {
    check_error(read.error());
  }
  const auto write = write_request(line->request);
  require(write.limit > Duration{} && write.limit <= kLongest);
  require(write.value.size() <= size && write.point.size() <= size);
  return 0;
}
