// No way leads out of the folder that --portal-root names.
#include "portal/site_folder.h"

#include <fstream>

#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

namespace fs = std::filesystem;

class SiteFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    write("secret.txt", "not for the web");
    write("site/index.html", "the portal");
    write("site/login.html", "the login page");
    write("site/assets/app.js", "script");
    write("site/assets/login.js", "login's script");
    write("site/.vite/login.json",
          R"({"login.html":{"file":"assets/login.js","css":["assets/login.css"],"assets":7}})");
    fs::create_symlink(home / "secret.txt", home / "site/assets/link.txt");
    fs::create_directory_symlink(home, home / "site/up");
    fs::create_symlink("app.js", home / "site/assets/inside.js");
  }
  void TearDown() override { fs::remove_all(home); }
  void write(const fs::path& name, std::string_view text) const {
    fs::create_directories((home / name).parent_path());
    std::ofstream(home / name) << text;
  }
  std::string bytes(const std::string& path) const {
    const auto file = read_from(home / "site", path);
    return file ? file->bytes : "nothing";
  }

  static fs::path fresh() {
    std::string pattern = (fs::temp_directory_path() / "site-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  fs::path home = fresh();
};

TEST_F(SiteFolder, GivesItsFiles) {
  EXPECT_EQ(bytes("/assets/app.js"), "script");
  EXPECT_EQ(bytes("/assets/inside.js"), "script");
  EXPECT_EQ(read_from(home / "site", "/index.html")->type, "text/html; charset=utf-8");
}

TEST_F(SiteFolder, LetsNobodyOut) {
  for (const std::string path :
       {"/../secret.txt", "/assets/../../secret.txt", "/assets/../../../../../etc/passwd",
        "//etc/passwd", "/up/secret.txt", "/assets/link.txt", "/./index.html", "/.vite/login.json",
        "/assets", "/", "", "secret.txt", "/..", "/assets/\\..\\..\\secret.txt"})
    EXPECT_EQ(bytes(path), "nothing") << path;
  EXPECT_EQ(bytes(std::string("/index.html\0.js", 15)), "nothing");
}

TEST_F(SiteFolder, KnowsWhatTheLoginPageIsMadeOf) {
  EXPECT_TRUE(read_from(home / "site", "/assets/login.js")->login);
  EXPECT_TRUE(read_from(home / "site", "/login.html")->login);
  EXPECT_FALSE(read_from(home / "site", "/assets/app.js")->login);
  write("site/.vite/login.json", "{");
  EXPECT_FALSE(read_from(home / "site", "/assets/login.js")->login);
}

TEST_F(SiteFolder, IsEmptyWhereItIsNotThere) {
  EXPECT_FALSE(read_from(home / "other", "/index.html"));
}

}  // namespace
}  // namespace lightship::portal
