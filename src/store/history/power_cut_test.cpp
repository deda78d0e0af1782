// Power cuts in the middle of commits, checkpoints and compactions: never damage, never a hole.
#include "store/history/power_cut_for_test.h"

#include <cstring>
#include <fstream>
#include <map>
#include <memory>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "store/history/site_for_test.h"

namespace lightship::history {
namespace {

constexpr std::size_t kSector = 512;  // is written whole or not at all

struct Shim {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  std::vector<PowerCutDisk::Op> ops;
};
Shim* shim = nullptr;

struct File {
  sqlite3_file base;
  std::string* name;
  sqlite3_file* real;
};
File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) { return of(file)->real; }

int file_close(sqlite3_file* file) {
  const int done = real(file)->pMethods->xClose(real(file));
  delete of(file)->name;
  return done;
}
int file_read(sqlite3_file* f, void* into, int size, sqlite3_int64 at) {
  return real(f)->pMethods->xRead(real(f), into, size, at);
}
int file_write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  shim->ops.push_back(
      {PowerCutDisk::Op::Kind::write, *of(f)->name, at,
       std::string(static_cast<const char*>(from), static_cast<std::size_t>(size))});
  return real(f)->pMethods->xWrite(real(f), from, size, at);
}
int file_truncate(sqlite3_file* f, sqlite3_int64 size) {
  shim->ops.push_back({PowerCutDisk::Op::Kind::truncate, *of(f)->name, size, {}});
  return real(f)->pMethods->xTruncate(real(f), size);
}
int file_sync(sqlite3_file* f, int) {
  shim->ops.push_back({PowerCutDisk::Op::Kind::sync, *of(f)->name, 0, {}});
  return SQLITE_OK;  // the test needs no real one
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return real(f)->pMethods->xFileSize(real(f), size);
}
int file_lock(sqlite3_file* f, int how) { return real(f)->pMethods->xLock(real(f), how); }
int file_unlock(sqlite3_file* f, int how) { return real(f)->pMethods->xUnlock(real(f), how); }
int file_locked(sqlite3_file* f, int* held) {
  return real(f)->pMethods->xCheckReservedLock(real(f), held);
}
int file_control(sqlite3_file* f, int op, void* with) {
  return real(f)->pMethods->xFileControl(real(f), op, with);
}
int sector_size(sqlite3_file*) { return kSector; }
int characteristics(sqlite3_file*) { return 0; }
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** into) {
  return real(f)->pMethods->xShmMap(real(f), page, size, extend, into);
}
int shm_lock(sqlite3_file* f, int at, int n, int flags) {
  return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
int shm_unmap(sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

const sqlite3_io_methods kMethods = {
    2,         file_close,  file_read,   file_write,   file_truncate, file_sync,       file_size,
    file_lock, file_unlock, file_locked, file_control, sector_size,   characteristics, shm_map,
    shm_lock,  shm_barrier, shm_unmap,   nullptr,      nullptr};

int disk_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
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
int disk_delete(sqlite3_vfs*, const char* name, int sync) {
  shim->ops.push_back(
      {PowerCutDisk::Op::Kind::remove, std::filesystem::path(name).filename().string(), 0, {}});
  return shim->real->xDelete(shim->real, name, sync);
}

void apply(std::string& content, const PowerCutDisk::Op& op, std::size_t from, std::size_t size) {
  const auto at = static_cast<std::size_t>(op.offset) + from;
  if (content.size() < at + size) content.resize(at + size, '\0');
  std::memcpy(content.data() + at, op.data.data() + from, size);
}

}  // namespace

PowerCutDisk::PowerCutDisk() {
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

PowerCutDisk::~PowerCutDisk() {
  sqlite3_vfs_unregister(&shim->vfs);
  sqlite3_vfs_register(shim->real, 1);
  delete std::exchange(shim, nullptr);
}

const std::vector<PowerCutDisk::Op>& PowerCutDisk::ops() const { return shim->ops; }

std::size_t PowerCutDisk::synced(const std::string& file, std::size_t count) const {
  for (std::size_t i = count; i > 0; --i) {
    if (shim->ops[i - 1].file == file && shim->ops[i - 1].kind == Op::Kind::sync) return i;
  }
  return 0;
}

void PowerCutDisk::files_after(std::size_t count, std::mt19937& dice,
                               const std::filesystem::path& into) const {
  std::map<std::string, std::string> files;
  std::map<std::string, std::size_t> synced_to;
  // Most cuts leave nearly all or nearly nothing; each has its own mixture.
  const int there = std::uniform_int_distribution(0, 4)(dice);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& op = shim->ops[i];
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

namespace {

struct Commit {
  std::size_t ops = 0;    // that were done when it had returned
  std::size_t polls = 0;  // that are in it and those before
};

// A history of 300 polls with a commit for each third, checkpoints and two compactions.
std::vector<Commit> record(const PowerCutDisk& disk, const std::filesystem::path& file) {
  std::vector<Commit> commits;
  Meter meter;
  auto opened = Writer::open(file);
  EXPECT_TRUE(opened.has_value());
  if (!opened) return commits;
  auto& writer = *opened;
  EXPECT_TRUE(writer.database().execute("PRAGMA wal_autocheckpoint=12"));
  for (int poll = 0; poll < 300; ++poll) {
    meter.poll(poll * 10, poll, poll * 7919 % 1000);
    if (poll % 3 != 2) continue;
    EXPECT_TRUE(writer.append(meter.recorder.take_batch()));
    commits.push_back({disk.ops().size(), static_cast<std::size_t>(poll + 1)});
    if (poll % 120 == 119) {
      EXPECT_TRUE(compact(writer.database(), INT64_MAX));
    }
  }
  return commits;
}

TEST(PowerCut, NeverDamagesTheFileAndLeavesAllThatCameBeforeASync) {
  const Folder folder;
  PowerCutDisk disk;
  const auto commits = record(disk, folder.file());
  const auto ops = disk.ops();  // what follows writes, too
  std::mt19937 dice(7);
  const auto first = commits.front().ops;
  std::size_t whole = 0;
  for (int cut = 0; cut < 150; ++cut) {
    const auto count = std::uniform_int_distribution<std::size_t>(first, ops.size())(dice);
    const auto here = folder.path() / "after";
    disk.files_after(count, dice, here);
    const auto sure_ops = disk.synced("history.db-wal", count);
    std::size_t sure = 0, most = 0;
    for (const auto& commit : commits) {
      if (commit.ops <= sure_ops) sure = commit.polls;
      if (most == 0 || commit.ops <= count) most = commit.polls;
    }
    most += 3;  // the commit under way
    {
      auto writer = Writer::open(here / kFileName);
      ASSERT_TRUE(writer.has_value()) << "cut " << cut << ": " << writer.error().text;
      EXPECT_EQ(writer->database().check().value(), "") << "cut " << cut;
    }
    auto history = History::open(here / kFileName);
    ASSERT_TRUE(history.has_value());
    const auto series = history->find("panel/meter/voltage");
    const auto raw =
        series->empty() ? std::vector<Sample>{} : samples_of(*history, "panel/meter/voltage");
    EXPECT_GE(raw.size(), sure) << "cut " << cut;
    EXPECT_LE(raw.size(), most) << "cut " << cut;
    for (std::size_t i = 0; i < raw.size(); ++i)
      ASSERT_EQ(as_double(raw[i].value), static_cast<double>(i)) << "cut " << cut;
    EXPECT_EQ(history->damaged(), 0u);
    whole += raw.size() == most - 3 || raw.size() == most ? 1 : 0;
  }
  // The cuts were no formality: some lost what was not synced, some lost nothing.
  EXPECT_GT(whole, 5u);
  EXPECT_LT(whole, 150u);
}

}  // namespace
}  // namespace lightship::history
