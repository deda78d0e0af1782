// Names the counters and adds to them.
#include "sources/modbus/device_counters.h"

namespace lightship::poller {

DeviceCounters::DeviceCounters(Metrics& metrics, std::string device)
    : metrics_(metrics), device_(std::move(device)) {
  const auto counter = [&](std::string_view name, std::string_view help) {
    return &metrics_.counter(name, help, {{"device", device_}});
  };
  const auto failure = [&](const char* kind) {
    return &metrics_.counter("modbus_failures_total", "requests without a usable answer, by kind",
                             {{"device", device_}, {"kind", kind}});
  };
  const auto heard = [&](const char* kind) {
    return &metrics_.counter("modbus_foreign_total", "what was heard beside the answers, by kind",
                             {{"device", device_}, {"kind", kind}});
  };
  polls = counter("modbus_polls_total", "polls of a device");
  failed = counter("modbus_polls_failed_total", "polls without any answer");
  probes = counter("modbus_probes_total", "polls of a device that was silent before");
  requests = counter("modbus_requests_total", "requests sent");
  retries = counter("modbus_retries_total", "requests sent again");
  overruns = counter("modbus_overruns_total", "poll times that went by because the line was busy");
  wasted = counter("modbus_wasted_microseconds_total",
                   "time of the line that went to requests without an answer");
  timeout_ = failure("timeout");
  crc_ = failure("crc");
  exception_ = failure("exception");
  length_ = failure("length");
  unreachable_ = failure("unreachable");
  late_ = heard("late");
  foreign_ = heard("foreign");
  noise_bytes_ = heard("noise_bytes");
  echo_ = heard("echo");
}

Counter& DeviceCounters::exception(int code) {
  auto& known = by_code_[code];
  if (known == nullptr) {
    known = &metrics_.counter("modbus_exceptions_total", "refused requests, by exception code",
                              {{"device", device_}, {"code", std::to_string(code)}});
  }
  return *known;
}

void DeviceCounters::count(const Result<ByteVector>& answer, const Tally& tally) {
  ++*requests;
  *late_ += tally.late;
  *foreign_ += tally.rejects.unit + tally.rejects.function + tally.rejects.exception_code +
               tally.rejects.mismatch;
  *noise_bytes_ += tally.rejects.noise_bytes + tally.rejects.trailing_bytes;
  *echo_ += tally.rejects.echo;
  if (answer) return;
  switch (answer.error().code) {
    case Errc::refused:
      ++*exception_;
      ++exception(static_cast<int>(answer.error().detail));
      break;
    case Errc::crc:
      ++*crc_;
      break;
    case Errc::malformed:
      ++*length_;
      break;
    case Errc::timeout:
      ++*timeout_;
      break;
    default:
      ++*unreachable_;
  }
}

void DeviceCounters::errors(ErrorCounts& to) const {
  const auto add = [&to](std::string name, const Counter& counter) {
    if (counter.value > 0) to.emplace_back(std::move(name), counter.value);
  };
  add("timeout", *timeout_);
  add("bad CRC", *crc_);
  for (const auto& [code, counter] : by_code_) add(fmt::format("exception {}", code), *counter);
  add("wrong length", *length_);
  add("not connected", *unreachable_);
  add("late answer", *late_);
  add("foreign answer", *foreign_);
  add("noise byte", *noise_bytes_);
}

void DeviceCounters::describe(JsonWriter& json) const {
  json.member("polls", polls->value).member("failed", failed->value);
  json.member("probes", probes->value).member("requests", requests->value);
  json.member("overruns", overruns->value).member("retries", retries->value);
  json.member("wasted_ms", wasted->value / 1000);
  json.key("failures").begin_object();
  json.member("timeout", timeout_->value).member("crc", crc_->value);
  json.member("exception", exception_->value).member("length", length_->value);
  json.member("unreachable", unreachable_->value).member("late", late_->value);
  json.member("foreign", foreign_->value).member("noise_bytes", noise_bytes_->value);
  json.member("echo", echo_->value);
  json.end_object();
  json.key("exceptions").begin_object();
  for (const auto& [code, counter] : by_code_) json.member(std::to_string(code), counter->value);
  json.end_object();
}

}  // namespace lightship::poller
