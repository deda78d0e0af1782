// Asks at one setting after the other.
#include "sources/modbus/rate_asker.h"

#include <algorithm>

#include "link/serial_timing.h"

namespace lightship::poller {
namespace {

// A request and the answer of one register, 8 and 7 characters, with the silences around them.
Duration wire(const link::SerialSettings& settings) {
  return std::chrono::duration_cast<Duration>(link::wire_time(settings, 15) +
                                              2 * link::t35(settings));
}

Task<Result<std::unique_ptr<Conversation>>> open_with(const OpenAt& open,
                                                      link::SerialSettings settings) {
  co_return co_await open(std::move(settings));
}

Task<Result<std::vector<UnitFound>>> ask_at(asio::any_io_executor executor, const OpenAt& open,
                                            const link::SerialSettings& settings,
                                            std::vector<std::uint8_t> units, Duration patience) {
  Talker talker(executor, [&open, &settings] { return open_with(open, settings); });
  ScanPlan plan;
  plan.units = std::move(units);
  plan.patience = patience;
  const ScanNews quiet;
  auto found = co_await scan_units(talker, std::move(plan), quiet, true);
  co_await talker.end();
  co_return found;
}

}  // namespace

Duration AskRatePlan::longest() const {
  Duration all{};
  const auto few = std::min(few_units, units.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto asked = few + (i < common_settings ? units.size() - few : 0);
    all += static_cast<std::int64_t>(2 * asked) * (patience + wire(candidates[i]));
  }
  return all;
}

Task<Result<AskedRate>> find_rate_by_asking(
    asio::any_io_executor executor, OpenAt open, AskRatePlan plan,
    std::function<void(const link::SerialSettings&, std::size_t units)> told) {
  AskedRate result;
  const auto few = static_cast<std::ptrdiff_t>(std::min(plan.few_units, plan.units.size()));
  const std::vector<std::uint8_t> first(plan.units.begin(), plan.units.begin() + few);
  const std::vector<std::uint8_t> rest(plan.units.begin() + few, plan.units.end());
  for (const auto* units : {&first, &rest}) {
    if (units->empty()) continue;
    const auto settings_count = units == &first
                                    ? plan.candidates.size()
                                    : std::min(plan.common_settings, plan.candidates.size());
    for (std::size_t i = 0; i < settings_count; ++i) {
      const auto& settings = plan.candidates[i];
      if (told) told(settings, units->size());
      auto found = co_await ask_at(executor, open, settings, *units, plan.patience);
      if (!found) co_return fail(found.error());
      const auto good =
          std::ranges::find_if(*found, [](const UnitFound& u) { return !u.only_damaged(); });
      if (good != found->end()) {
        result.settings = settings;
        result.unit = good->unit;
        co_return result;
      }
      if (!found->empty()) result.damaged_at.push_back(link::describe(settings));
    }
  }
  co_return result;
}

}  // namespace lightship::poller
