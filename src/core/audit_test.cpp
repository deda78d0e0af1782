// The audit file: lines, durability, its bound, and who may read it.
#include "core/audit.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "base/file.h"
#include "base/manual_clock.h"
#include "base/text.h"

namespace lightship {
namespace {

using testing::HasSubstr;

struct Desk {
  explicit Desk(std::uintmax_t most_bytes = AuditFile::kMostBytes)
      : audit(clock, book, folder / "audit.jsonl", most_bytes) {}
  ~Desk() {
    audit.stop();
    std::filesystem::remove_all(folder);
    std::fclose(log);
  }
  static std::filesystem::path make_folder() {
    std::string name = std::filesystem::temp_directory_path() / "lightship-audit-XXXXXX";
    return ::mkdtemp(name.data());
  }
  static Task<void> put(Desk& desk, std::string text, Audit::Durability durability) {
    auto recording =
        desk.audit.record("test", [&](JsonWriter& json) { json.member("text", text); }, durability);
    desk.last = co_await std::move(recording);
    ++desk.done;
  }
  void record(std::string text, Audit::Durability durability = Audit::Durability::synced) {
    asio::co_spawn(loop, put(*this, std::move(text), durability), asio::detached);
  }
  void run(int until) {
    loop.restart();
    const auto work = asio::make_work_guard(loop);
    while (done < until) loop.run_one();
  }
  // The numbers behind "n", or why not.
  std::string read_back(Time since) {
    std::string all;
    const auto before = done;
    asio::co_spawn(loop, read(*this, since, all), asio::detached);
    run(before + 1);
    --done;
    return last ? all : last.error().text;
  }
  static Task<void> read(Desk& desk, Time since, std::string& all) {
    auto reading = desk.audit.read_back(since, [&](std::string_view line) {
      const auto number = line.substr(line.rfind('n') + 1);
      all += std::string(number.substr(0, number.find('"'))) + " ";
    });
    desk.last = co_await std::move(reading);
    ++desk.done;
  }
  std::vector<std::string> lines(const char* name = "audit.jsonl") const {
    std::vector<std::string> all;
    const auto text = read_file(folder / name, 1 << 20).value_or("");
    for (const auto line : split(text, '\n')) {
      if (!line.empty()) all.emplace_back(line);
    }
    return all;
  }

  std::string logged() const {
    std::string text(1 << 16, ' ');
    std::rewind(log);
    text.resize(std::fread(text.data(), 1, text.size(), log));
    return text;
  }

  asio::io_context loop{1};
  ManualClock clock{loop};
  std::FILE* log = std::tmpfile();
  Logbook book{clock, log, Logbook::Form::text, Level::warn};
  std::filesystem::path folder = make_folder();
  AuditFile audit;
  Result<void> last;
  int done = 0;
};

TEST(AuditFile, KeepsEachLineInItsOrder) {
  Desk desk;
  for (int i = 0; i < 20; ++i)
    desk.record("n" + std::to_string(i),
                i % 2 == 0 ? Audit::Durability::synced : Audit::Durability::kept);
  desk.run(20);
  const auto lines = desk.lines();
  ASSERT_EQ(lines.size(), 20U);
  EXPECT_EQ(lines[0], R"({"time":"2026-01-04T12:00:00.000Z","event":"test","text":"n0"})");
  EXPECT_THAT(lines[19], HasSubstr(R"("text":"n19")"));
}

TEST(AuditFile, IsReadBackInItsOrderOverAllItsFiles) {
  Desk desk(200);
  for (int i = 0; i < 12; ++i) {
    desk.record("n" + std::to_string(i));
    desk.run(i + 1);
    desk.clock.advance(std::chrono::seconds(1));
  }
  ASSERT_FALSE(desk.lines("audit.jsonl.1").empty());
  ASSERT_FALSE(desk.lines("audit.jsonl.2").empty());
  const auto start = *from_rfc3339("2026-01-04T12:00:00.000Z");
  EXPECT_EQ(desk.read_back(start), "0 1 2 3 4 5 6 7 8 9 10 11 ");
  EXPECT_EQ(desk.read_back(start + std::chrono::milliseconds(4500)), "5 6 7 8 9 10 11 ");
  EXPECT_EQ(desk.read_back(start + std::chrono::hours(1)), "");
}

TEST(AuditFile, WithoutAFileHasNothingToReadBackAndOneThatCannotBeReadIsTold) {
  Desk desk;
  EXPECT_EQ(desk.read_back(Time{}), "");
  std::filesystem::create_directory(desk.folder / "audit.jsonl");
  EXPECT_EQ(
      desk.read_back(Time{}),
      "cannot read the audit file " + (desk.folder / "audit.jsonl").string() + ": Is a directory");
}

TEST(AuditFile, IsReadBackWithoutAnOlderPartThatCannotBeReadAndSaysWhichThatIs) {
  Desk desk;
  desk.record("n1");
  desk.run(1);
  std::filesystem::create_directory(desk.folder / "audit.jsonl.1");
  std::filesystem::create_symlink("audit.jsonl.3", desk.folder / "audit.jsonl.3");
  EXPECT_EQ(desk.read_back(Time{}), "1 ");
  desk.book.flush(true);
  const auto said = desk.logged();
  EXPECT_THAT(said, HasSubstr("an older part of the audit is left out"));
  EXPECT_THAT(said, HasSubstr((desk.folder / "audit.jsonl.1").string() + ": Is a directory"));
  EXPECT_THAT(said, HasSubstr((desk.folder / "audit.jsonl.3").string() + ": Too many levels"));
}

TEST(AuditFile, GivesWhatRootMakesToTheOwnerOfTheFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  Desk desk;
  ASSERT_EQ(::chown(desk.folder.c_str(), 65534, 65534), 0);
  desk.record("n1");
  desk.run(1);
  struct stat seen{};
  ASSERT_EQ(::stat((desk.folder / "audit.jsonl").c_str(), &seen), 0);
  EXPECT_EQ(seen.st_uid, 65534U);
  EXPECT_EQ(seen.st_gid, 65534U);
  EXPECT_EQ(seen.st_mode & 0777, 0600U);
}

// Somebody has laid a link where the audit should be: what it names is not given away.
TEST(AuditFile, GivesNothingAwayThatWasThere) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  Desk desk;
  ASSERT_TRUE(write_file_atomic(desk.folder / "other", "mine\n"));
  ASSERT_EQ(::chown(desk.folder.c_str(), 65534, 65534), 0);
  std::filesystem::create_symlink("other", desk.folder / "audit.jsonl");
  desk.record("n1");
  desk.run(1);
  struct stat seen{};
  ASSERT_EQ(::stat((desk.folder / "other").c_str(), &seen), 0);
  EXPECT_EQ(seen.st_uid, 0U);
}

TEST(AuditFile, PutsALineThatItOnlyTellsIntoTheLogWhereItCannotKeepIt) {
  Desk desk;
  std::filesystem::create_directory(desk.folder / "audit.jsonl");
  desk.record("discard", Audit::Durability::told);
  desk.run(1);
  EXPECT_TRUE(desk.last);
  desk.book.flush(true);
  const auto said = desk.logged();
  EXPECT_THAT(said, HasSubstr("the audit cannot be written"));
  EXPECT_THAT(said, HasSubstr("discard"));
  EXPECT_THAT(said, HasSubstr("cannot open the audit file"));
}

TEST(AuditFile, IsReadByItsOwnerAlone) {
  Desk desk;
  desk.record("secret");
  desk.run(1);
  struct stat seen{};
  ASSERT_EQ(::stat((desk.folder / "audit.jsonl").c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777, 0600U);
}

TEST(AuditFile, IsLaidAsideAtItsBoundAndTheOldestGoes) {
  Desk desk(200);  // three lines
  for (int i = 0; i < 30; ++i) {
    desk.record("number " + std::to_string(i));
    desk.run(i + 1);
  }
  EXPECT_THAT(desk.lines().back(), HasSubstr("number 29"));
  EXPECT_EQ(desk.lines("audit.jsonl.1").size(), 3U);
  EXPECT_TRUE(std::filesystem::exists(desk.folder / "audit.jsonl.4"));
  EXPECT_FALSE(std::filesystem::exists(desk.folder / "audit.jsonl.5"));
}

TEST(AuditFile, GoesOnWhenSomebodyTookTheFileAway) {
  Desk desk;
  desk.record("one");
  desk.run(1);
  std::filesystem::remove(desk.folder / "audit.jsonl");
  desk.record("two");
  desk.run(2);
  ASSERT_EQ(desk.lines().size(), 1U);
  EXPECT_THAT(desk.lines()[0], HasSubstr("two"));
}

TEST(AuditFile, SaysWhenItCannotKeepALine) {
  Desk desk;
  std::filesystem::create_directory(desk.folder / "audit.jsonl");
  desk.record("lost");
  desk.run(1);
  ASSERT_FALSE(desk.last);
  EXPECT_THAT(desk.last.error().text, HasSubstr("cannot open the audit file"));
}

TEST(AuditFile, GivesEveryBeginningAnIdOfItsOwn) {
  Desk desk;
  EXPECT_NE(desk.audit.next_id(), desk.audit.next_id());
}

}  // namespace
}  // namespace lightship
