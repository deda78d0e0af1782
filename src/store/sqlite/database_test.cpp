// SQLite behind the thin interface: what is committed is there, what is not is not.
#include "store/sqlite/database.h"

#include <fstream>

#include <gtest/gtest.h>

namespace lightship::sqlite {
namespace {

Database memory() {
  auto opened = Database::open({}, {});
  EXPECT_TRUE(opened.has_value());
  return std::move(*opened);
}

TEST(Database, GivesBackWhatWasBound) {
  auto database = memory();
  ASSERT_TRUE(database.execute("CREATE TABLE t(i INTEGER, r REAL, s TEXT, b BLOB, n)"));
  auto insert = database.prepare("INSERT INTO t VALUES(?,?,?,?,?)");
  ASSERT_TRUE(insert.has_value());
  const ByteVector blob{1, 0, 255};
  insert->bind(0, std::int64_t{-5}).bind(1, 2.5).bind(2, std::string_view("text"));
  ASSERT_TRUE(insert->bind(3, Bytes(blob)).bind_null(4).run());

  auto select = database.prepare("SELECT * FROM t");
  ASSERT_TRUE(select.has_value());
  ASSERT_TRUE(*select->step());
  EXPECT_EQ(select->integer(0), -5);
  EXPECT_EQ(select->real(1), 2.5);
  EXPECT_EQ(select->text(2), "text");
  EXPECT_EQ(ByteVector(select->blob(3).begin(), select->blob(3).end()), blob);
  EXPECT_TRUE(select->is_null(4));
  EXPECT_FALSE(*select->step());
}

TEST(Database, ForgetsATransactionThatIsNotCommitted) {
  auto database = memory();
  ASSERT_TRUE(database.execute("CREATE TABLE t(i)"));
  {
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction.has_value());
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES(1)"));
  }
  EXPECT_EQ(*database.integer("SELECT count(*) FROM t"), 0);
  {
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(transaction.has_value());
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES(1)"));
    ASSERT_TRUE(transaction->commit());
  }
  EXPECT_EQ(*database.integer("SELECT count(*) FROM t"), 1);
}

TEST(Database, GivesUpALookWhenItIsTold) {
  const auto file = std::filesystem::path(testing::TempDir()) / "look.db";
  std::filesystem::remove(file);
  {
    auto made = Database::open(file, {});
    ASSERT_TRUE(made.has_value());
    ASSERT_TRUE(made->execute(
        "CREATE TABLE t(i INTEGER PRIMARY KEY, b BLOB);INSERT INTO t SELECT value, zeroblob(900) "
        "FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value+1 FROM n LIMIT 4000) "
        "SELECT value FROM n);PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  {  // a page near the end
    std::fstream raw(file, std::ios::in | std::ios::out | std::ios::binary);
    raw.seekp(4096 * 900);
    raw << std::string(4096, '\xA5');
  }
  auto database = Database::open(file, {});
  ASSERT_TRUE(database.has_value());
  EXPECT_NE(database->check().value_or("cannot be read"), "");
  const std::atomic<bool> stop = true;
  EXPECT_EQ(database->check(&stop).value_or("cannot be read"), "");
  EXPECT_EQ(database->check(nullptr, steady_now()).value_or("cannot be read"), "");
}

TEST(Database, SaysThatAFileIsNoDatabase) {
  const auto file = std::filesystem::path(testing::TempDir()) / "no.db";
  std::ofstream(file) << std::string(8192, 'x');
  const auto opened = Database::open(file, {});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::malformed);
  std::filesystem::remove(file);
}

TEST(Database, SaysWhereItCannotBeOpened) {
  const auto opened = Database::open("/nowhere/at/all.db", {});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::unavailable);
  EXPECT_NE(opened.error().text.find("/nowhere/at/all.db"), std::string::npos);
}

}  // namespace
}  // namespace lightship::sqlite
