// Takes first pages from a sound file.
#include "store/sqlite/first_page.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

namespace lightship::sqlite {
namespace {

constexpr std::size_t kPage = 4096, kHeader = 100;
using Page = std::vector<char>;

Page first_page(const std::filesystem::path& file) {
  Page page(kPage);
  std::ifstream in(file, std::ios::binary);
  in.read(page.data(), kPage);
  page.resize(static_cast<std::size_t>(in.gcount()));
  return page;
}

// What is the same in every header of ours; what counts and changes is passed over.
bool is_header(const Page& page, const Page& sound) {
  constexpr std::pair<std::size_t, std::size_t> kSame[] = {{0, 18}, {20, 24}, {44, 48}, {56, 64}};
  return std::ranges::all_of(kSame, [&](const auto& part) {
    return std::memcmp(page.data() + part.first, sound.data() + part.first,
                       part.second - part.first) == 0;
  });
}

void put32(char* at, std::uint64_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
}

// How many tables and indices can be seen: none where what is there is damaged.
Result<std::int64_t> tables_in(const std::filesystem::path& file, const Mended& mended) {
  auto database = open_damaged(file, mended);
  auto count = database ? database->integer("SELECT count(*) FROM sqlite_schema WHERE rootpage>0")
                        : fail(database.error());
  if (!count && count.error().code == Errc::malformed) return 0;
  return count;
}

}  // namespace

Result<Database> open_damaged(const std::filesystem::path& file, const Mended& mended) {
  return Database::open(
      file, {.access = Access::read_only, .vfs = mended.page ? mended.page->name() : nullptr});
}

Result<Mended> mend_first_page(const std::filesystem::path& file,
                               const std::filesystem::path& sound) {
  std::error_code unknown;
  const auto size = std::filesystem::file_size(file, unknown);
  if (unknown)
    return fail(Errc::unavailable, "cannot look at {}: {}", file.string(), unknown.message());
  const auto page = first_page(file);
  auto good = first_page(sound);
  if (good.size() < kPage) return fail(Errc::unavailable, "cannot read {}", sound.string());
  // A schema of more than a page has its roots elsewhere.
  constexpr char kLeaf = 0x0d;
  if (size < 2 * kPage || good[kHeader] != kLeaf) return Mended();
  const bool header = page.size() == kPage && is_header(page, good);
  const auto wanted = tables_in(sound, {});
  if (!wanted) return fail(wanted.error());
  if (header) {
    const auto found = tables_in(file, {});
    if (!found) return fail(found.error());
    if (*found >= *wanted) return Mended();
  }
  // What counts pages: so many; none of them free.
  put32(good.data() + 28, size / kPage);
  std::memset(good.data() + 32, 0, 8);
  std::memcpy(good.data() + 92, good.data() + 24, 4);
  for (const bool whole : {false, true}) {
    if (!whole && header) continue;
    Mended mended;
    mended.what = whole ? "its first page was made anew" : "its header was made anew";
    mended.page =
        std::make_unique<Overlay>(Page(good.begin(), good.begin() + (whole ? kPage : kHeader)));
    const auto found = tables_in(file, mended);
    if (!found) return fail(found.error());
    if (*found >= *wanted) return mended;
  }
  return Mended();
}

bool is_passing(const Error& error) {
  // Not memory: it is a damaged length that asks for too much of it.
  constexpr int kCodes[] = {SQLITE_BUSY,     SQLITE_LOCKED,   SQLITE_FULL,
                            SQLITE_CANTOPEN, SQLITE_PROTOCOL, SQLITE_INTERRUPT};
  constexpr int kExtended[] = {SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHMLOCK,
                               SQLITE_IOERR_SHMMAP, SQLITE_IOERR_LOCK};
  const auto is = [&](int code) { return code == error.detail; };
  const auto begins = [&](int code) { return code == (error.detail & 0xff); };
  return std::ranges::any_of(kCodes, begins) || std::ranges::any_of(kExtended, is);
}

std::size_t keep_only_damaged(const std::filesystem::path& file,
                              const std::filesystem::path& newest) {
  std::vector<std::filesystem::path> others;
  std::error_code failed;
  const auto start = file.filename().string() + ".damaged-";
  for (const auto& entry : std::filesystem::directory_iterator(file.parent_path(), failed)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(start) && name.ends_with("Z") && name != newest.filename().string())
      others.push_back(entry.path());
  }
  for (const auto& other : others) remove_with_log(other);
  return others.size();
}

void remove_with_log(const std::filesystem::path& file) {
  std::error_code ignored;
  for (const char* tail : {"", "-wal", "-shm"})
    std::filesystem::remove(file.string() + tail, ignored);
}

}  // namespace lightship::sqlite
