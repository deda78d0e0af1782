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
