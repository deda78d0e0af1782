// The users' file: its form, its rules, and what happens to a damaged one.
#include "portal/auth/user_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"

namespace lightship::portal {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kHash =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
    "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
const Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 1 / 4) + 12h;

UserList two() {
  UserList list;
  list.users.push_back({"admin", Role::admin, kHash, "s1", kNow, true});
  list.users.push_back({"anna", Role::operate, kHash, "s2", kNow, false});
  list.tokens.push_back({"t1", "backup script", "anna", Role::viewer, std::string(64, 'a'), kNow,
                         kNow + std::chrono::days(30)});
  return list;
}

struct UserFileTest : testing::Test {
  std::filesystem::path folder = [] {
    std::string name = std::filesystem::temp_directory_path() / "lightship-users-XXXXXX";
    return std::filesystem::path(::mkdtemp(name.data()));
  }();
  ~UserFileTest() override { std::filesystem::remove_all(folder); }
  UserFile file{folder / "users.json"};

  static Result<void> make_two(UserList& list) {
    list = two();
    return {};
  }
};

TEST_F(UserFileTest, IsReadBackAsItWasWritten) {
  ASSERT_TRUE(file.change(make_two, UserFile::Missing::is_empty));
  const auto content = file.read();
  ASSERT_TRUE(content && *content);
  EXPECT_EQ(to_json((*content)->list), to_json(two()));
  EXPECT_EQ((*content)->mark, mark_of(file.path()));
}

TEST_F(UserFileTest, IsForItsOwnerAlone) {
  ASSERT_TRUE(file.change(make_two, UserFile::Missing::is_empty));
  struct stat found{};
  ASSERT_EQ(::stat(file.path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST_F(UserFileTest, BelongsToTheOwnerOfItsFolderAlsoWhereRootWritesIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(folder.c_str(), 12345, 12346), 0);
  ASSERT_TRUE(file.change(make_two, UserFile::Missing::is_empty));
  struct stat found{}, lock{};
  ASSERT_EQ(::stat(file.path().c_str(), &found), 0);
  ASSERT_EQ(::stat((file.path().string() + ".lock").c_str(), &lock), 0);
  EXPECT_EQ(found.st_uid, 12345U);
  EXPECT_EQ(found.st_gid, 12346U);
  EXPECT_EQ(lock.st_uid, 12345U);
}

TEST_F(UserFileTest, IsNothingWhereThereIsNone) {
  const auto content = file.read();
  ASSERT_TRUE(content);
  EXPECT_FALSE(*content);
  EXPECT_EQ(mark_of(file.path()), FileMark{});
}

TEST_F(UserFileTest, IsNotMadeAnewBehindARunningGateway) {
  const auto changed = file.change(make_two, UserFile::Missing::is_wrong);
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().text, HasSubstr("is gone"));
  EXPECT_FALSE(std::filesystem::exists(file.path()));
}

TEST_F(UserFileTest, IsNeverReplacedWhenItIsDamaged) {
  ASSERT_TRUE(write_file_atomic(file.path(), R"({"version":1,"users":[)", 0600));
  const auto content = file.read();
  ASSERT_FALSE(content);
  EXPECT_THAT(content.error().text, HasSubstr("Put a copy of it back"));
  const auto changed = file.change(make_two, UserFile::Missing::is_empty);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Errc::unavailable) << "not the fault of who asked for it";
  EXPECT_EQ(read_file(file.path(), 1000).value(), R"({"version":1,"users":[)");
}

TEST_F(UserFileTest, IsNotWrittenWhenTheChangeIsRefused) {
  ASSERT_TRUE(file.change(make_two, UserFile::Missing::is_empty));
  const auto before = mark_of(file.path());
  const auto changed = file.change(
      [](UserList& list) -> Result<void> {
        list.users.clear();
        return fail(Errc::invalid, "no");
      },
      UserFile::Missing::is_wrong);
  EXPECT_FALSE(changed);
  EXPECT_EQ(mark_of(file.path()), before);
}

TEST(Users, AreRefusedWhenTheirFileIsNotWhatWeWrite) {
  const auto text = to_json(two());
  const auto with = [&](std::string_view from, std::string_view to) {
    auto changed = text;
    const auto at = changed.find(from);
    if (at == changed.npos) return std::string("nothing replaced");
    changed.replace(at, from.size(), to);
    const auto list = users_from_json(changed);
    return list ? "taken" : list.error().text;
  };
  EXPECT_THAT(with(R"("version":1)", R"("version":2)"), HasSubstr("version 2 where 1 is known"));
  EXPECT_THAT(with(R"("role":"admin")", R"("role":"root")"), HasSubstr("a role is none of"));
  EXPECT_THAT(with("$argon2id$v=19$m=19456", "$argon2id$v=19$m=99999999"),
              HasSubstr("the password of admin is no Argon2id hash"));
  EXPECT_THAT(with(R"("name":"anna")", R"("name":"Admin")"), HasSubstr("there twice"));
  EXPECT_THAT(with(R"("name":"anna")", R"("name":"../anna")"), HasSubstr("name is none"));
  EXPECT_THAT(with(R"("user":"anna")", R"("user":"otto")"), HasSubstr("who is no user"));
  EXPECT_THAT(with(R"("must_change_password":true)", R"("must_change_password":"no")"),
              HasSubstr("not what we write"));
  EXPECT_THAT(with(R"("stamp":"s1",)", ""), HasSubstr("not what we write"));
}

TEST(Users, KeepTheLastAdministrator) {
  auto list = two();
  EXPECT_THAT(list.remove("admin").error().text, HasSubstr("last administrator"));
  EXPECT_THAT(list.set_role("admin", Role::operate).error().text, HasSubstr("last administrator"));
  ASSERT_TRUE(list.set_role("anna", Role::admin));
  EXPECT_TRUE(list.remove("admin"));
  EXPECT_EQ(list.users.size(), 1U);
}

TEST(Users, TakeTheirTokensAlong) {
  auto list = two();
  ASSERT_TRUE(list.remove("anna"));
  EXPECT_TRUE(list.tokens.empty());
}

TEST(Users, GetAnotherStampAndLoseTheirTokensWithAnotherPassword) {
  auto list = two();
  ASSERT_TRUE(list.set_password("anna", kHash, false));
  EXPECT_NE(list.find("anna")->stamp, "s2");
  EXPECT_TRUE(list.tokens.empty());
  EXPECT_EQ(list.find("admin")->stamp, "s1");
}

TEST(Users, AreNotAddedTwiceNorByAnotherCaseOfTheirName) {
  auto list = two();
  EXPECT_THAT(list.add(new_user("Anna", Role::viewer, kHash, kNow, true)).error().text,
              HasSubstr("There is a user anna already"));
  EXPECT_THAT(list.add(new_user("a b", Role::viewer, kHash, kNow, true)).error().text,
              HasSubstr("A name is"));
  EXPECT_TRUE(list.add(new_user("otto", Role::viewer, kHash, kNow, true)));
}

}  // namespace
}  // namespace lightship::portal
