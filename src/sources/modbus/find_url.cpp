// URLs with `auto` in them.
#include "sources/modbus/find_url.h"

#include "base/text.h"

namespace lightship::poller {

Result<LineToFind> parse_line_to_find(std::string_view url) {
  LineToFind found;
  const auto mark = url.find('?');
  std::string plain(url.substr(0, mark));
  if (mark != std::string_view::npos) {
    std::vector<std::string> kept;
    for (const auto part : split(url.substr(mark + 1), '&')) {
      if (part == "baud=auto") {
        found.asked.baud = true;
      } else if (part == "parity=auto") {
        found.asked.parity = true;
      } else {
        found.parity_given |= part.starts_with("parity=");
        kept.emplace_back(part);
      }
    }
    if (!kept.empty()) plain += "?" + join(kept, "&");
  }
  auto line = parse_line_url(plain);
  if (!line) return fail(line.error());
  if (found.asked.any() && !line->is_serial_port())
    return fail(Errc::invalid, "{} has no rate to be found", url.substr(0, mark));
  found.baud_given = line->baud_rate.has_value();
  if (found.asked.baud && found.baud_given)
    return fail(Errc::invalid, "baud is given twice, once as auto");
  if (found.asked.parity && found.parity_given)
    return fail(Errc::invalid, "parity is given twice, once as auto");
  // Who does not know the rate does not know the parity either, unless it is said.
  if (found.asked.baud && !found.parity_given) found.asked.parity = true;
  found.line = std::move(*line);
  return found;
}

}  // namespace lightship::poller
