// Finds the rate and parity of a silent line by asking: the setting at which somebody answers.
//
// Only for a line of our own: whoever else talks on it would be disturbed, so listen first.
#pragma once

#include "link/serial_settings.h"
#include "sources/modbus/unit_scan.h"

namespace lightship::poller {

using OpenAt = std::function<Task<Result<std::unique_ptr<Conversation>>>(link::SerialSettings)>;

struct AskRatePlan {
  std::vector<link::SerialSettings> candidates;  // the usual ones first
  std::vector<std::uint8_t> units;
  Duration patience = std::chrono::milliseconds(120);
  // Nobody knows which unit ids are used, so first a few units are asked at every setting, and only
  // then all units at the settings that are met most often.
  std::size_t few_units = 10;
  std::size_t common_settings = 4;

  Duration longest() const;
};

struct AskedRate {
  std::optional<link::SerialSettings> settings;  // nothing: nobody answered at any
  std::uint8_t unit = 0;                         // who answered
  std::vector<std::string> damaged_at;           // settings at which something damaged came back
};

Task<Result<AskedRate>> find_rate_by_asking(
    asio::any_io_executor executor, OpenAt open, AskRatePlan plan,
    std::function<void(const link::SerialSettings&, std::size_t units)> told = {});

}  // namespace lightship::poller
