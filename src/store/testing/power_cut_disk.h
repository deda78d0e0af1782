// A disk that fails and whose power can be cut: a VFS for SQLite that notes every write and sync,
// and makes of any prefix of them the files as they may lie there after a cut: what was synced is
// whole, what was not is there, missing or torn, in any mixture. Writes and syncs can be refused
// for a while.
//
// SQLite has one default VFS, so one of these lives at a time. Files that are written past SQLite
// are not in it.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <sqlite3.h>

namespace lightship::testing {

class PowerCutDisk {
 public:
  // Becomes SQLite's default until it goes.
  PowerCutDisk();
  ~PowerCutDisk();
  PowerCutDisk(const PowerCutDisk&) = delete;
  PowerCutDisk& operator=(const PowerCutDisk&) = delete;

  struct Op {
    enum class Kind { write, truncate, sync, remove } kind;
    std::string file;  // without its folder
    std::int64_t offset = 0;
    std::string data;
  };
  std::vector<Op> ops() const;
  std::size_t count() const;
  // What happens from now on is not noted.
  void stop_noting();

  // From now on writes, or syncs, answer this SQLite code (0: they work).
  void fail_writes(int code);
  void fail_syncs(int code);

  // The files after a cut behind the first `count` operations.
  void files_after(std::size_t count, std::mt19937& dice, const std::filesystem::path& into) const;
  // The operations up to the last sync of the file among the first `count`.
  std::size_t synced(const std::string& file, std::size_t count) const;
};

namespace power_cut {

constexpr std::size_t kSector = 512;  // is written whole or not at all

struct Shim {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  std::mutex mutex;  // the file's owner may have a thread for it
  std::vector<PowerCutDisk::Op> ops;
  bool noting = true;
  std::atomic<int> write_fails{SQLITE_OK}, sync_fails{SQLITE_OK};

  void note(PowerCutDisk::Op op) {
    const std::lock_guard lock(mutex);
    if (noting) ops.push_back(std::move(op));
  }
};
inline Shim* shim = nullptr;

struct File {
  sqlite3_file base;
  std::string* name;
  sqlite3_file* real;
};
inline File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
inline sqlite3_file* real(sqlite3_file* file) { return of(file)->real; }

inline int file_close(sqlite3_file* file) {
  const int done = real(file)->pMethods->xClose(real(file));
  delete of(file)->name;
  return done;
}
inline int file_read(sqlite3_file* f, void* into, int size, sqlite3_int64 at) {
  return real(f)->pMethods->xRead(real(f), into, size, at);
}
inline int file_write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  if (const int refused = shim->write_fails) return refused;
  shim->note({PowerCutDisk::Op::Kind::write, *of(f)->name, at,
              std::string(static_cast<const char*>(from), static_cast<std::size_t>(size))});
  return real(f)->pMethods->xWrite(real(f), from, size, at);
}
inline int file_truncate(sqlite3_file* f, sqlite3_int64 size) {
  shim->note({PowerCutDisk::Op::Kind::truncate, *of(f)->name, size, {}});
  return real(f)->pMethods->xTruncate(real(f), size);
}
inline int file_sync(sqlite3_file* f, int) {
  if (const int refused = shim->sync_fails) return refused;
  shim->note({PowerCutDisk::Op::Kind::sync, *of(f)->name, 0, {}});
  return SQLITE_OK;  // the test needs no real one
}
inline int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return real(f)->pMethods->xFileSize(real(f), size);
}
inline int file_lock(sqlite3_file* f, int how) { return real(f)->pMethods->xLock(real(f), how); }
inline int file_unlock(sqlite3_file* f, int how) {
  return real(f)->pMethods->xUnlock(real(f), how);
}
inline int file_locked(sqlite3_file* f, int* held) {
  return real(f)->pMethods->xCheckReservedLock(real(f), held);
}
inline int file_control(sqlite3_file* f, int op, void* with) {
  return real(f)->pMethods->xFileControl(real(f), op, with);
}
inline int sector_size(sqlite3_file*) { return kSector; }
inline int characteristics(sqlite3_file*) { return 0; }
inline int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** into) {
  return real(f)->pMethods->xShmMap(real(f), page, size, extend, into);
}
inline int shm_lock(sqlite3_file* f, int at, int n, int flags) {
  return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
inline void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
inline int shm_unmap(sqlite3_file* f, int remove) {
  return real(f)->pMethods->xShmUnmap(real(f), remove);
}

inline const sqlite3_io_methods kMethods = {
    2,         file_close,  file_read,   file_write,   file_truncate, file_sync,       file_size,
    file_lock, file_unlock, file_locked, file_control, sector_size,   characteristics, shm_map,
    shm_lock,  shm_barrier, shm_unmap,   nullptr,      nullptr};

inline int disk_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* ours = of(file);
  ours->base.pMethods = nullptr;
  ours->real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
  const int done = shim->real->xOpen(shim->real, name, ours->real, flags, out);
  if (ours->real->pMethods == nullptr) return done;
  ours->name =
      new std::string(name == nullptr ? "" : std::filesystem::path(name).filename().string());
  ours->base.pMethods = &kMethods;
  return done;
}
inline int disk_delete(sqlite3_vfs*, const char* name, int sync) {
  shim->note(
      {PowerCutDisk::Op::Kind::remove, std::filesystem::path(name).filename().string(), 0, {}});
  return shim->real->xDelete(shim->real, name, sync);
}

inline void apply(std::string& content, const PowerCutDisk::Op& op, std::size_t from,
                  std::size_t size) {
  const auto at = static_cast<std::size_t>(op.offset) + from;
  if (content.size() < at + size) content.resize(at + size, '\0');
  std::memcpy(content.data() + at, op.data.data() + from, size);
}

}  // namespace power_cut

inline PowerCutDisk::PowerCutDisk() {
  using namespace power_cut;
  shim = new Shim;
  shim->real = sqlite3_vfs_find(nullptr);
  shim->vfs = *shim->real;
  shim->vfs.zName = "power-cut";
  shim->vfs.szOsFile = static_cast<int>(sizeof(File)) + shim->real->szOsFile;
  shim->vfs.pNext = nullptr;
  shim->vfs.xOpen = disk_open;
  shim->vfs.xDelete = disk_delete;
  sqlite3_vfs_register(&shim->vfs, 1);
}

inline PowerCutDisk::~PowerCutDisk() {
  using power_cut::shim;
  sqlite3_vfs_unregister(&shim->vfs);
  sqlite3_vfs_register(shim->real, 1);
  delete std::exchange(shim, nullptr);
}

inline std::vector<PowerCutDisk::Op> PowerCutDisk::ops() const {
  const std::lock_guard lock(power_cut::shim->mutex);
  return power_cut::shim->ops;
}

inline std::size_t PowerCutDisk::count() const {
  const std::lock_guard lock(power_cut::shim->mutex);
  return power_cut::shim->ops.size();
}

inline void PowerCutDisk::stop_noting() {
  const std::lock_guard lock(power_cut::shim->mutex);
  power_cut::shim->noting = false;
}

inline void PowerCutDisk::fail_writes(int code) { power_cut::shim->write_fails = code; }
inline void PowerCutDisk::fail_syncs(int code) { power_cut::shim->sync_fails = code; }

inline std::size_t PowerCutDisk::synced(const std::string& file, std::size_t count) const {
  const auto& ops = power_cut::shim->ops;
  for (std::size_t i = count; i > 0; --i) {
    if (ops[i - 1].file == file && ops[i - 1].kind == Op::Kind::sync) return i;
  }
  return 0;
}

inline void PowerCutDisk::files_after(std::size_t count, std::mt19937& dice,
                                      const std::filesystem::path& into) const {
  using power_cut::apply, power_cut::kSector;
  const auto& ops = power_cut::shim->ops;
  std::map<std::string, std::string> files;
  std::map<std::string, std::size_t> synced_to;
  // Most cuts leave nearly all or nearly nothing; each has its own mixture.
  const int there = std::uniform_int_distribution(0, 4)(dice);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& op = ops[i];
    if (!synced_to.contains(op.file)) synced_to[op.file] = synced(op.file, count);
    const bool sure = i < synced_to[op.file];
    const bool kept = sure || std::uniform_int_distribution(0, 3)(dice) < there;
    switch (op.kind) {
      case Op::Kind::write:
        if (kept) {
          apply(files[op.file], op, 0, op.data.size());
        } else {
          for (std::size_t at = 0; at < op.data.size(); at += kSector) {
            if (std::uniform_int_distribution(0, 3)(dice) < there)
              apply(files[op.file], op, at, std::min(kSector, op.data.size() - at));
          }
        }
        break;
      case Op::Kind::truncate:
        if (kept) files[op.file].resize(static_cast<std::size_t>(op.offset));
        break;
      case Op::Kind::remove:
        files.erase(op.file);
        break;
      case Op::Kind::sync:
        break;
    }
  }
  std::filesystem::remove_all(into);
  std::filesystem::create_directories(into);
  for (const auto& [name, content] : files) std::ofstream(into / name, std::ios::binary) << content;
}

}  // namespace lightship::testing
