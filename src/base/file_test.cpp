// What is opened and made: a file of one's own, never what somebody else has laid there.
#include "base/file.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lightship {
namespace {

struct OpenOwned : testing::Test {
  ~OpenOwned() override { std::filesystem::remove_all(folder); }
  // 0, or why it was not opened.
  static int opened(const std::filesystem::path& path, int flags = O_RDWR) {
    const int fd = open_owned(path, flags, 0600);
    if (fd < 0) return errno;
    ::close(fd);
    return 0;
  }
  std::filesystem::path folder = [] {
    std::string name = std::filesystem::temp_directory_path() / "lightship-file-XXXXXX";
    return std::filesystem::path(::mkdtemp(name.data()));
  }();
};

TEST_F(OpenOwned, MakesAFileAndOpensItAgain) {
  EXPECT_EQ(opened(folder / "mine"), 0);
  EXPECT_TRUE(std::filesystem::is_regular_file(folder / "mine"));
  EXPECT_EQ(opened(folder / "mine", O_WRONLY | O_APPEND), 0);
}

TEST_F(OpenOwned, FollowsNoLink) {
  ASSERT_TRUE(write_file_atomic(folder / "other", "precious"));
  std::filesystem::create_symlink(folder / "other", folder / "link");
  EXPECT_EQ(opened(folder / "link", O_WRONLY | O_TRUNC), ELOOP);
  EXPECT_EQ(read_file(folder / "other", 100).value_or(""), "precious");
  std::filesystem::create_symlink(folder / "nothing", folder / "dangling");
  EXPECT_EQ(opened(folder / "dangling"), ELOOP);
  EXPECT_FALSE(std::filesystem::exists(folder / "nothing"));
}

TEST_F(OpenOwned, DoesNotHangOnAPipe) {
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(opened(folder / "pipe", O_WRONLY | O_APPEND), ENXIO);
  EXPECT_EQ(opened(folder / "pipe", O_RDWR), EINVAL) << "it is opened, but is no file";
}

TEST_F(OpenOwned, RefusesAFolder) {
  std::filesystem::create_directory(folder / "sub");
  EXPECT_EQ(opened(folder / "sub"), EISDIR);
}

}  // namespace
}  // namespace lightship
