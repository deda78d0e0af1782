// A line as a URL, for the command line: tcp://HOST[:502], udp://HOST[:502], rtu+tcp://HOST:PORT,
// rtu:///dev/ttyX?baud=9600&parity=N&stop=1&data=8, ascii:///dev/ttyX?...
#pragma once

#include <string_view>

#include "base/result.h"
#include "sources/modbus/config.h"

namespace lightship::poller {

// Errc::invalid with what was found and what was expected.
Result<ConnectionConfig> parse_line_url(std::string_view url);

}  // namespace lightship::poller
