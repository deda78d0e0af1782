// How what is overheard is printed: one line a frame, and a summary.
#pragma once

#include <optional>

#include "base/clock.h"
#include "link/serial.h"
#include "sources/modbus/line_report.h"

namespace lightship::cli {

struct SniffSummary {
  std::string line;                              // "serial /dev/ttyUSB0 9600 8N1"
  std::optional<link::SerialSettings> settings;  // nothing where the line is no serial port
  link::SerialErrors errors;
  Duration listened{};
};

class SniffPrinter {
 public:
  // `start`: the wall clock when times are 0.
  SniffPrinter(bool json, bool ascii, Time start) : json_(json), ascii_(ascii), start_(start) {}

  void frame(const modbus::Overheard& heard) const;
  void summary(const SniffSummary& summary, const poller::LineReport& report) const;

 private:
  void frame_json(const modbus::Overheard& heard) const;
  void summary_json(const SniffSummary& summary, const poller::LineReport& report) const;

  bool json_, ascii_;
  Time start_;
};

}  // namespace lightship::cli
