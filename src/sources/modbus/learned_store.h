// DATA_DIR/learned.json: the memory of all models, loaded once and written some seconds after a
// change.
//
// One for the whole program (a heirloom of the context), shared by all lines. A damaged file is
// moved aside and learning begins anew. Field loop only.
#pragma once

#include "base/log.h"
#include "core/context.h"
#include "sources/modbus/learned.h"

namespace lightship::poller {

class LearnedStore {
 public:
  // The one of this program; reads the file when it is asked for first.
  static std::shared_ptr<LearnedStore> of(Context& context);

  LearnedStore(std::filesystem::path file, Clock& clock, Worker& files, Logbook& logbook);

  // The model's memory; made when it is new.
  std::shared_ptr<ModelMemory> model(const std::string& key);

  void changed(ModelMemory& memory);  // to be written soon
  bool is_dirty() const { return dirty_; }

  // Writes what has changed. One writes at a time; who comes meanwhile returns at once.
  Task<void> save();

 private:
  void make_room();

  std::filesystem::path file_;  // empty: nothing is kept
  Clock& clock_;
  Worker& files_;
  Log log_;
  LearnedModels models_;
  bool dirty_ = false, saving_ = false;
};

}  // namespace lightship::poller
