// Takes first pages from a sound file.
#include "store/sqlite/first_page.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

#include "store/sqlite/database.h"

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

// How many tables and indices can be seen; nothing where it cannot be opened.
std::int64_t tables_in(const std::filesystem::path& file) {
  auto database = Database::open(file, {.access = Access::shared, .checkpoint_pages = 0});
  if (!database) return 0;
  return database->integer("SELECT count(*) FROM sqlite_schema WHERE rootpage>0").value_or(0);
}

bool put(const std::filesystem::path& file, const char* what, std::size_t bytes) {
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.write(what, static_cast<std::streamsize>(bytes));
  return out.good();
}

void remove_with_log(const std::filesystem::path& file) {
  std::error_code ignored;
  for (const char* tail : {"", "-wal", "-shm"})
    std::filesystem::remove(file.string() + tail, ignored);
}

// A look into it may have changed its log: anew each time.
Result<void> take_copy(const std::filesystem::path& file, const std::filesystem::path& copy) {
  remove_with_log(copy);
  std::error_code failed;
  std::filesystem::copy_file(file, copy, failed);
  if (failed) return fail(Errc::unavailable, "cannot copy {}: {}", file.string(), failed.message());
  std::filesystem::copy_file(file.string() + "-wal", copy.string() + "-wal", failed);
  return {};
}

}  // namespace

Result<std::string> mend_first_page(const std::filesystem::path& file,
                                    const std::filesystem::path& sound,
                                    const std::filesystem::path& copy) {
  std::error_code unknown;
  const auto size = std::filesystem::file_size(file, unknown);
  const auto page = first_page(file);
  auto good = first_page(sound);
  // A schema of more than a page has its roots elsewhere.
  constexpr char kLeaf = 0x0d;
  if (unknown || size < 2 * kPage || page.size() < kPage || good.size() < kPage ||
      good[kHeader] != kLeaf)
    return std::string();
  const bool header = is_header(page, good);
  const auto wanted = tables_in(sound);
  // What counts pages: so many; none of them free.
  put32(good.data() + 28, size / kPage);
  std::memset(good.data() + 32, 0, 8);
  std::memcpy(good.data() + 92, good.data() + 24, 4);
  if (header && tables_in(file) >= wanted) return std::string();
  for (const bool whole : {false, true}) {
    if (!whole && header) continue;
    if (auto done = take_copy(file, copy); !done) return fail(done.error());
    if (put(copy, good.data(), whole ? kPage : kHeader) && tables_in(copy) >= wanted)
      return std::string(whole ? "its first page was made anew" : "its header was made anew");
  }
  remove_with_log(copy);
  return std::string();
}

std::size_t keep_newest_damaged(const std::filesystem::path& file) {
  std::vector<std::filesystem::path> found;
  std::error_code failed;
  const auto start = file.filename().string() + ".damaged-";
  for (const auto& entry : std::filesystem::directory_iterator(file.parent_path(), failed)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(start) && name.ends_with("Z")) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  if (!found.empty()) found.pop_back();
  for (const auto& old : found) remove_with_log(old);
  return found.size();
}

}  // namespace lightship::sqlite
