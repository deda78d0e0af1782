// The audit as people read it: words, pages, and files that turn over meanwhile.
#include "portal/api/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace lightship::portal {
namespace {

using testing::ElementsAre;

TEST(AuditEntry, TellsALogIn) {
  const auto entry = audit_entry(
      R"({"time":"2026-01-04T12:00:00.000Z","event":"login","user":"anna","address":"192.0.2.7"})");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->time, "2026-01-04T12:00:00.000Z");
  EXPECT_EQ(entry->event, "login");
  EXPECT_EQ(entry->user, "anna");
  EXPECT_EQ(entry->address, "192.0.2.7");
  EXPECT_EQ(entry->detail, "");
}

TEST(AuditEntry, TellsAWriteAndWhoAskedForIt) {
  const auto entry = audit_entry(
      R"({"time":"t","event":"write","state":"ended","outcome":"written","id":"1","by":"anna 192.0.2.7","device":"hall/press","point":"setpoint","new":25.5,"old":20,"duration_ms":41.2})");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->user, "anna");
  EXPECT_EQ(entry->address, "192.0.2.7");
  EXPECT_EQ(entry->detail, "hall/press/setpoint: 20 -> 25.5, written");
  const auto asked = audit_entry(
      R"({"time":"t","event":"write","state":"asked","by":"command line, uid 0 pid 7","device":"hall/press","point":"setpoint","new":25.5})");
  EXPECT_EQ(asked->user, "command line, uid 0 pid 7");
  EXPECT_EQ(asked->address, "");
  EXPECT_EQ(asked->detail, "hall/press/setpoint -> 25.5, asked");
}

TEST(AuditEntry, TellsWhatElseALineSays) {
  EXPECT_EQ(
      audit_entry(
          R"({"time":"t","event":"user-added","user":"admin","address":"::1","about":"anna","role":"viewer"})")
          ->detail,
      "anna, role viewer");
}

TEST(AuditEntry, IsNothingWhereTheLineIsNone) {
  EXPECT_FALSE(audit_entry(""));
  EXPECT_FALSE(audit_entry("{\"time\":\"t\",\"eve"));
  EXPECT_FALSE(audit_entry("[1]"));
  EXPECT_FALSE(audit_entry(R"({"time":"t"})"));
}

struct AuditPages : testing::Test {
  std::filesystem::path folder = [] {
    std::string name = std::filesystem::temp_directory_path() / "lightship-pages-XXXXXX";
    return std::filesystem::path(::mkdtemp(name.data()));
  }();
  std::filesystem::path file = folder / "audit.jsonl";
  ~AuditPages() override { std::filesystem::remove_all(folder); }

  static std::string line(int number) {
    return fmt::format("{{\"time\":\"t\",\"event\":\"{}\"}}\n", number);
  }
  void write(const char* name, int from, int to, std::string_view more = {}) {
    std::string text;
    for (int i = from; i < to; ++i) text += line(i);
    ASSERT_TRUE(write_file_atomic(folder / name, text + std::string(more)));
  }
  std::vector<std::string> read(const std::string& after, std::size_t limit) {
    const auto page = read_audit(file, after, limit);
    if (!page) return {page.error().text};
    next = page->next;
    std::vector<std::string> events;
    for (const auto& entry : page->entries) events.push_back(entry.event);
    return events;
  }
  std::string next;
};

TEST_F(AuditPages, AreTheNewestFirstAndGoOnWhereTheyEnded) {
  write("audit.jsonl.1", 0, 3);
  write("audit.jsonl", 3, 5);
  EXPECT_THAT(read("", 2), ElementsAre("4", "3"));
  EXPECT_THAT(read(next, 2), ElementsAre("2", "1"));
  EXPECT_THAT(read(next, 2), ElementsAre("0"));
  EXPECT_EQ(next, "");
}

TEST_F(AuditPages, GoOnWhereTheyWereWhenTheFileTurnsOver) {
  write("audit.jsonl", 0, 5);
  EXPECT_THAT(read("", 2), ElementsAre("4", "3"));
  std::filesystem::rename(file, folder / "audit.jsonl.1");
  write("audit.jsonl", 5, 9);
  EXPECT_THAT(read(next, 9), ElementsAre("2", "1", "0"));
}

TEST_F(AuditPages, LeaveOutALineThatIsBeingWrittenAndRubbish) {
  write("audit.jsonl", 0, 2, "rubbish\n" + line(2) + R"({"time":"t","event":"ha)");
  EXPECT_THAT(read("", 9), ElementsAre("2", "1", "0"));
}

TEST_F(AuditPages, ReadLongFilesChunkByChunk) {
  write("audit.jsonl", 0, 20'000);
  int expected = 20'000, pages = 0;
  for (std::string after;; after = next, ++pages) {
    for (const auto& event : read(after, 500)) ASSERT_EQ(event, std::to_string(--expected));
    if (next.empty()) break;
  }
  EXPECT_EQ(expected, 0);
  EXPECT_EQ(pages, 39);
}

TEST_F(AuditPages, ReadABoundedPartOfAFileFullOfRubbish) {
  std::string rubbish;
  while (rubbish.size() < (6U << 20)) rubbish += std::string(100, 'x') + "\n";
  write("audit.jsonl", 0, 1, rubbish);
  EXPECT_TRUE(read("", 10).empty());
  ASSERT_NE(next, "") << "and say where to go on";
  EXPECT_THAT(read(next, 10), ElementsAre("0"));
}

TEST_F(AuditPages, AreNoneWhereThereIsNoFile) {
  EXPECT_TRUE(read("", 10).empty());
  EXPECT_EQ(next, "");
}

TEST_F(AuditPages, SayThatAPlaceIsNoneOrGone) {
  write("audit.jsonl", 0, 2);
  EXPECT_THAT(read("nonsense", 10), ElementsAre("after is what `next` of an answer said."));
  EXPECT_THAT(read("1-2", 10),
              ElementsAre("That part of the audit is gone; begin with the newest."));
}

}  // namespace
}  // namespace lightship::portal
