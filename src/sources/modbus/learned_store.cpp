// Loads and saves what was learned.
#include "sources/modbus/learned_store.h"

#include <algorithm>
#include <cerrno>

#include "base/file.h"

namespace lightship::poller {
namespace {

constexpr const char* kName = "modbus/learned";

}  // namespace

std::shared_ptr<LearnedStore> LearnedStore::of(Context& context) {
  auto& heirloom = context.heirlooms[kName];
  if (!heirloom) {
    heirloom = std::make_shared<LearnedStore>(
        context.data_dir.empty() ? std::filesystem::path{} : context.data_dir / "learned.json",
        context.clock, context.files, context.logbook);
  }
  return std::static_pointer_cast<LearnedStore>(heirloom);
}

LearnedStore::LearnedStore(std::filesystem::path file, Clock& clock, Worker& files,
                           Logbook& logbook)
    : file_(std::move(file)), clock_(clock), files_(files), log_(logbook, kName) {
  if (file_.empty()) return;
  auto text = read_file(file_, kLargestLearnedFile);
  if (!text && text.error().detail == ENOENT) return;
  auto models = text ? learned_from_json(*text, clock_.now()) : fail(text.error());
  if (models) {
    models_ = std::move(*models);
    return;
  }
  auto aside = file_;
  aside += ".damaged";
  std::error_code failed;
  std::filesystem::rename(file_, aside, failed);
  log_.warn("what was learned of the meters cannot be read; learning begins anew",
            field("file", file_.string()), field("why", models.error().text),
            field("moved_to", failed ? failed.message() : aside.string()));
}

std::shared_ptr<ModelMemory> LearnedStore::model(const std::string& key) {
  auto& memory = models_[key];
  if (!memory) memory = std::make_shared<ModelMemory>();
  return memory;
}

void LearnedStore::changed(ModelMemory& memory) {
  ++memory.revision;
  memory.learned.found = clock_.now();
  if (memory.learned.since == Time{}) memory.learned.since = clock_.now();
  if (memory.learned.nothing()) memory.learned = {};
  dirty_ = true;
}

// Models that no device has now go first, the longest unseen before the others.
void LearnedStore::make_room() {
  std::erase_if(models_, [](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->learned.nothing();
  });
  while (models_.size() > kMostModels) {
    auto oldest = models_.end();
    for (auto at = models_.begin(); at != models_.end(); ++at) {
      if (at->second.use_count() > 1) continue;
      if (oldest == models_.end() || at->second->learned.found < oldest->second->learned.found)
        oldest = at;
    }
    if (oldest == models_.end()) return;  // all of them are in use: bounded by the configuration
    models_.erase(oldest);
  }
}

Task<void> LearnedStore::save() {
  if (file_.empty()) dirty_ = false;
  if (!dirty_ || saving_) co_return;
  make_room();
  saving_ = true;
  dirty_ = false;
  auto write = [file = file_, text = to_json(models_)] { return write_file_atomic(file, text); };
  auto done = co_await files_.run(std::move(write));
  saving_ = false;
  if (!done) {
    dirty_ = true;  // tried again with the next change
    log_.warn("what was learned of the meters cannot be written", field("why", done.error().text));
  }
}

}  // namespace lightship::poller
