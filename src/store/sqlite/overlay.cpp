// The VFS that gives the beginning of a file from memory.
#include "store/sqlite/overlay.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace lightship::sqlite {

struct Overlay::State {
  std::vector<char> beginning;
  std::string name;
  sqlite3_vfs vfs{};
  sqlite3_vfs* system = nullptr;
};

namespace {

// SQLite gives room for one of these with the system's own right behind it.
struct File {
  sqlite3_file base;
  const std::vector<char>* beginning;
};
static_assert(sizeof(File) % 8 == 0);  // what lies behind it is aligned as SQLite aligns

sqlite3_file* system_file(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

template <auto Method, class R, class... Args>
R pass(sqlite3_file* file, Args... args) {
  auto* const to = system_file(file);
  return (to->pMethods->*Method)(to, args...);
}

int read(sqlite3_file* file, void* into, int count, sqlite3_int64 at) {
  const auto& beginning = *reinterpret_cast<File*>(file)->beginning;
  const int code = pass<&sqlite3_io_methods::xRead, int>(file, into, count, at);
  const auto size = static_cast<sqlite3_int64>(beginning.size());
  if (at >= size) return code;
  const auto from_memory = std::min<sqlite3_int64>(count, size - at);
  if (code != SQLITE_OK && from_memory < count) return code;
  std::memcpy(into, beginning.data() + at, static_cast<std::size_t>(from_memory));
  return SQLITE_OK;
}

using Methods = sqlite3_io_methods;
// Version 2: without memory mapping, which would go past `read`.
constexpr Methods kMethods = {
    .iVersion = 2,
    .xClose = pass<&Methods::xClose>,
    .xRead = read,
    .xWrite = pass<&Methods::xWrite>,
    .xTruncate = pass<&Methods::xTruncate>,
    .xSync = pass<&Methods::xSync>,
    .xFileSize = pass<&Methods::xFileSize>,
    .xLock = pass<&Methods::xLock>,
    .xUnlock = pass<&Methods::xUnlock>,
    .xCheckReservedLock = pass<&Methods::xCheckReservedLock>,
    .xFileControl = pass<&Methods::xFileControl>,
    .xSectorSize = pass<&Methods::xSectorSize>,
    .xDeviceCharacteristics = pass<&Methods::xDeviceCharacteristics>,
    .xShmMap = pass<&Methods::xShmMap>,
    .xShmLock = pass<&Methods::xShmLock>,
    .xShmBarrier = pass<&Methods::xShmBarrier>,
    .xShmUnmap = pass<&Methods::xShmUnmap>,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};
constexpr std::vector<char> kNothing;

}  // namespace

Overlay::Overlay(std::vector<char> beginning) : state_(std::make_unique<State>()) {
  static std::atomic<unsigned> count = 0;
  state_->beginning = std::move(beginning);
  state_->name = "lightship-overlay-" + std::to_string(++count);
  state_->system = sqlite3_vfs_find(nullptr);
  auto& vfs = state_->vfs;
  vfs = *state_->system;
  vfs.pNext = nullptr;
  vfs.zName = state_->name.c_str();
  vfs.pAppData = state_.get();
  vfs.szOsFile += static_cast<int>(sizeof(File));
  vfs.xOpen = [](sqlite3_vfs* self, sqlite3_filename name, sqlite3_file* file, int flags,
                 int* given) {
    const auto& state = *static_cast<const State*>(self->pAppData);
    auto* const made = reinterpret_cast<File*>(file);
    made->base.pMethods = nullptr;
    auto* const to = system_file(file);
    const int code = state.system->xOpen(state.system, name, to, flags, given);
    if (to->pMethods == nullptr) return code;
    made->beginning = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? &state.beginning : &kNothing;
    made->base.pMethods = &kMethods;
    return code;
  };
  sqlite3_vfs_register(&vfs, 0);
}

Overlay::~Overlay() { sqlite3_vfs_unregister(&state_->vfs); }

const char* Overlay::name() const { return state_->name.c_str(); }

}  // namespace lightship::sqlite
