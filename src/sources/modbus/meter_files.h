// The files of meters/, compiled in so that one binary knows them wherever it runs.
#pragma once

#include <span>
#include <string_view>

namespace lightship::poller {

struct MeterFile {
  std::string_view name;  // "schneider_em6400.yaml"
  std::string_view text;
};
extern const std::span<const MeterFile> kMeterFiles;

}  // namespace lightship::poller
