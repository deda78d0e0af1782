// The URL of a line whose rate and parity may be left to be found out.
//
// As in line_url.h; besides, `baud=auto` and `parity=auto`, and a serial port without `baud`.
#pragma once

#include "sources/modbus/line_url.h"
#include "sources/modbus/rate_finder.h"

namespace lightship::poller {

struct LineToFind {
  ConnectionConfig line;
  bool baud_given = false;  // as a number
  bool parity_given = false;
  Unknown asked;  // what the URL says is to be found: auto
  Framing framing() const { return line.type == LineType::ascii ? Framing::ascii : Framing::rtu; }
};

// Errc::invalid with what was found and what was expected.
Result<LineToFind> parse_line_to_find(std::string_view url);

}  // namespace lightship::poller
