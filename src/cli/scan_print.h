// How a scan tells what it does and what it found.
#pragma once

#include "cli/scan_unit.h"

namespace lightship::cli {

struct ScanResult {
  std::string url;
  const poller::ConnectionConfig* line = nullptr;
  std::optional<link::SerialSettings> settings;  // nothing where the line is no serial port
  std::vector<ScannedUnit> units;
  Duration took{};
};

// On stderr, so that stdout carries nothing but the result: one live line on a terminal, else a
// line now and then.
class ScanProgress {
 public:
  ScanProgress();
  void phase(std::string_view text);
  // `left`: what is still to be asked, at the waits of now.
  void step(std::size_t done, std::size_t all, std::uint8_t unit, std::size_t found, Duration left);
  void note(std::string_view text);

 private:
  void clear();
  bool terminal_, live_ = false;
  std::size_t last_told_ = 0;
};

void print_scan_head();
void print_scan_row(const ScannedUnit& unit);
void print_scan_end(const ScanResult& result);
void print_scan_yaml(const ScanResult& result);  // for slave_config.yaml
void print_scan_json(const ScanResult& result);

}  // namespace lightship::cli
