// Names, kinds, and how parts of a window become one.
#include "store/history/types.h"

#include <algorithm>
#include <array>

namespace lightship::history {

std::string_view to_string(Tier tier) {
  constexpr std::string_view names[] = {"raw", "1m", "1h", "1d"};
  return names[static_cast<std::size_t>(tier)];
}

std::string_view to_string(Kind kind) {
  constexpr std::string_view names[] = {"gauge", "counter", "state", "text"};
  return names[std::min<std::size_t>(static_cast<std::size_t>(kind), 3)];
}

std::string_view to_string(CounterEvent::What what) {
  constexpr std::string_view names[] = {"rolled_over", "reset", "replaced", "bad_read"};
  return names[std::min<std::size_t>(static_cast<std::size_t>(what), 3)];
}

Kind kind_of(std::string_view point, std::string_view unit, const Value& value) {
  if (std::holds_alternative<bool>(value)) return Kind::state;
  if (std::holds_alternative<std::string>(value)) return Kind::text;
  constexpr std::array<std::string_view, 9> energies = {"Wh",    "kWh", "MWh",  "varh", "kvarh",
                                                        "Mvarh", "VAh", "kVAh", "MVAh"};
  if (std::ranges::find(energies, unit) != energies.end()) return Kind::counter;
  return point.starts_with("energy_") ? Kind::counter : Kind::gauge;
}

void combine(Rollup& into, const Rollup& later) {
  into.increase += later.increase;
  if (later.reason != Reason::none) {
    into.reason = later.reason;
    into.code = later.code;
  }
  if (!later.has_value()) return;
  if (!into.has_value()) {
    const auto increase = into.increase;
    const auto start = into.start;
    const auto reason = into.reason;
    const auto code = into.code;
    into = later;
    into.start = start;
    into.increase = increase;
    into.reason = reason;
    into.code = code;
    return;
  }
  const auto good = into.good + later.good;
  // Without any time the newer one speaks: a value that was read and did not hold.
  into.avg = good > 0 ? (into.avg * static_cast<double>(into.good) +
                         later.avg * static_cast<double>(later.good)) /
                            static_cast<double>(good)
                      : later.avg;
  into.min = std::min(into.min, later.min);
  into.max = std::max(into.max, later.max);
  into.last = later.last;
  into.count += later.count;
  into.good = good;
  if (later.format != into.format) into.format = Format::f64;
}

double coverage(const Rollup& rollup, Millis window) {
  if (window <= 0) return 0;
  return std::min(100.0, 100.0 * static_cast<double>(rollup.good) / static_cast<double>(window));
}

}  // namespace lightship::history
