// Any bytes as learned.json: what is taken can be asked for and is bounded, and what we write of it
// is read back as the same. Input: the file.
#include "sources/modbus/learned.h"
#include "modbus_input.h"

using namespace lightship;
using namespace lightship::poller;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto now = Time(std::chrono::days(20'000));
  const auto models = learned_from_json(text, now);
  if (!models) {
    require(models.error().code == Errc::invalid && !models.error().text.empty());
    return 0;
  }
  require(models->size() <= kMostModels);
  for (const auto& [key, memory] : *models) {
    const auto& model = memory->learned;
    require(!model.nothing() && model.holes.size() <= kMostHoles);
    require(!model.max_registers || (*model.max_registers >= 1 && *model.max_registers <= 125));
    require(!model.max_bits || (*model.max_bits >= 1 && *model.max_bits <= 2000));
    require(model.pause >= Duration{} && model.pause <= std::chrono::milliseconds(500));
    for (const auto& hole : model.holes) {
      require(std::uint32_t{hole.first} + hole.count <= 65536);
      require(hole.count <= (is_bits(hole.space) ? 2000 : 125));
      require(hole.count > 0 || !hole.of_points);
    }
  }
  const auto written = to_json(*models);
  const auto again = learned_from_json(written, now);
  require(again && to_json(*again) == written);
  return 0;
}
