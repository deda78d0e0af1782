// Names of the counters.
#include "sinks/modbus_gateway/tally.h"

namespace lightship::gateway {
namespace {

Counter& bytes(Metrics& metrics, const char* direction) {
  return metrics.counter("modbus_gateway_bytes_total", "bytes of Modbus TCP clients",
                         {{"direction", direction}});
}

Counter& refused(Metrics& metrics, const char* reason) {
  return metrics.counter("modbus_gateway_refused_total", "Modbus TCP connections refused",
                         {{"reason", reason}});
}

Counter& closed(Metrics& metrics, const char* reason) {
  return metrics.counter("modbus_gateway_closed_total", "Modbus TCP connections ended by us",
                         {{"reason", reason}});
}

Counter& exceptions_of(Metrics& metrics, const std::string& code) {
  return metrics.counter("modbus_gateway_exceptions_total",
                         "Modbus TCP requests answered with an exception", {{"code", code}});
}

}  // namespace

Tally::Tally(Metrics& metrics)
    : requests(metrics.counter("modbus_gateway_requests_total", "Modbus TCP requests")),
      bytes_in(bytes(metrics, "in")),
      bytes_out(bytes(metrics, "out")),
      accepted(metrics.counter("modbus_gateway_accepted_total", "Modbus TCP connections served")),
      not_allowed(refused(metrics, "allow_from")),
      too_many(refused(metrics, "max_clients")),
      no_descriptors(refused(metrics, "descriptors")),
      lost_framing(closed(metrics, "framing")),
      slow(closed(metrics, "slow")),
      forwarded(metrics.counter("modbus_gateway_forwarded_total",
                                "reads asked of devices for the gateway")),
      joined(
          metrics.counter("modbus_gateway_joined_total", "reads that shared another one's answer")),
      writes(metrics.counter("modbus_gateway_writes_total",
                             "writes of Modbus TCP clients passed on to devices")),
      writes_refused(metrics.counter("modbus_gateway_writes_refused_total",
                                     "writes to devices that do not allow them")) {
  by_code_.fill(&exceptions_of(metrics, "other"));
  for (const int code : kCodes) {
    by_code_[static_cast<std::uint8_t>(code)] = &exceptions_of(metrics, std::to_string(code));
  }
}

}  // namespace lightship::gateway
