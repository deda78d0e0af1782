// Who gets which file for which path, and in which form.
#include "portal/site_files.h"

#include <gmock/gmock.h>

#include "link/gzip.h"
#include "portal/site_folder.h"
#include "portal/testing/answered.h"

namespace lightship::portal {
namespace {

const std::string kAppPacked = link::gzip("the portal itself");
const std::string kLoginPacked = link::gzip("the login page");
const std::string kScriptPacked = link::gzip("the script of the portal");
const std::string kOpenPacked = link::gzip("the script of the login page");
constexpr std::string_view kFont = "wOF2 as it is";

SiteFile row(std::string_view path, std::string_view type, std::string_view etag,
             std::string_view bytes, std::size_t raw, bool packed, bool login) {
  return {path, type, etag, bytes.data(), bytes.data() + bytes.size(), raw, packed, login};
}

class SiteFilesTest : public ::testing::Test {
 protected:
  Response get(std::string path, std::string accept = "gzip", std::string if_none_match = "") {
    Request request;
    request.method = method;
    request.path = std::move(path);
    if (!accept.empty()) request.headers.emplace_back("accept-encoding", std::move(accept));
    if (!if_none_match.empty())
      request.headers.emplace_back("if-none-match", std::move(if_none_match));
    return answered(site.answer(request, caller));
  }
  static std::string header(const Response& response, std::string_view name) {
    for (const auto& [known, value] : response.headers) {
      if (known == name) return value;
    }
    return {};
  }
  void leave() { caller.reset(); }

  std::string method = "GET";
  std::vector<SiteFile> files{
      row("/assets/app-1.js", "text/javascript", "\"a1\"", kScriptPacked, 24, true, false),
      row("/assets/font-1.woff2", "font/woff2", "\"f1\"", kFont, kFont.size(), false, true),
      row("/assets/login-1.js", "text/javascript", "\"l1\"", kOpenPacked, 28, true, true),
      row("/boot.js", "text/javascript", "\"b1\"", kOpenPacked, 28, true, true),
      row("/index.html", "text/html; charset=utf-8", "\"i1\"", kAppPacked, 17, true, false),
      row("/login.html", "text/html; charset=utf-8", "\"p1\"", kLoginPacked, 14, true, true),
  };
  SiteFiles site{files};
  std::optional<Caller> caller = Caller{.user = "anna"};
};

TEST_F(SiteFilesTest, GivesAStrangerTheLoginPageForEveryPath) {
  leave();
  for (const auto* path : {"/", "/devices", "/index.html", "/login", "/login.html", "/no/such/page",
                           "/favicon.ico", "/%zz", "/%2e%2e/etc/passwd", "/.vite/login.json"}) {
    const auto page = get(path);
    EXPECT_EQ(page.status, 200) << path;
    EXPECT_EQ(page.text(), kLoginPacked) << path;
  }
}

TEST_F(SiteFilesTest, GivesAStrangerNoFileThatIsNotOfTheLoginPage) {
  leave();
  EXPECT_EQ(get("/assets/app-1.js").status, 401);
  EXPECT_EQ(get("/assets/%61pp-1.js").status, 401);
  EXPECT_EQ(get("/assets/app-1.js", "gzip", "\"a1\"").status, 401);
  EXPECT_EQ(get("/assets/login-1.js").text(), kOpenPacked);
  EXPECT_EQ(get("/assets/font-1.woff2").text(), kFont);
  EXPECT_EQ(get("/boot.js").text(), kOpenPacked);
}

TEST_F(SiteFilesTest, TellsAStrangerNotWhichFilesThereAre) {
  leave();
  EXPECT_EQ(get("/assets/app-1.js").body, get("/assets/no-such.js").body);
}

TEST_F(SiteFilesTest, GivesWhoIsInThePortalForEveryPathThatIsNoFile) {
  for (const auto* path : {"/", "/devices", "/config/editor/slave", "/index.html", "/favicon.ico"})
    EXPECT_EQ(get(path).text(), kAppPacked) << path;
  EXPECT_EQ(get("/login").text(), kLoginPacked);
  EXPECT_EQ(get("/boot.js").text(), kOpenPacked);
}

TEST_F(SiteFilesTest, AnswersThatAFileIsMissing) {
  for (const auto* path : {"/assets/app-0.js", "/assets/", "/assets/../index.html",
                           "/assets/%2e%2e/index.html", "/assets/..%2findex.html"}) {
    const auto missing = get(path);
    EXPECT_EQ(missing.status, 404) << path;
    EXPECT_EQ(missing.content_type, "application/problem+json");
  }
}

TEST_F(SiteFilesTest, LetsBrowsersKeepHashedFilesForEverAndAskForTheRest) {
  EXPECT_EQ(header(get("/assets/app-1.js"), "Cache-Control"),
            "private, max-age=31536000, immutable");
  for (const auto* path : {"/", "/login", "/boot.js"}) {
    EXPECT_EQ(header(get(path), "Cache-Control"), "no-cache") << path;
    EXPECT_EQ(header(get(path), "Vary"), "Accept-Encoding") << path;
  }
  EXPECT_EQ(header(get("/"), "ETag"), "\"i1\"");
}

TEST_F(SiteFilesTest, SaysThatNothingChanged) {
  for (const auto* known : {"\"i1\"", "W/\"i1\"", "\"x\", \"i1\"", "*"}) {
    const auto same = get("/", "gzip", known);
    EXPECT_EQ(same.status, 304) << known;
    EXPECT_EQ(same.text(), "");
    EXPECT_EQ(header(same, "ETag"), "\"i1\"");
  }
  EXPECT_EQ(get("/", "gzip", "\"i0\"").status, 200);
  EXPECT_EQ(get("/", "gzip", "i1").status, 200);
}

TEST_F(SiteFilesTest, AnswersAfreshWhereTheSessionHasEnded) {
  const auto mine = header(get("/"), "ETag");
  leave();
  EXPECT_EQ(get("/", "gzip", mine).status, 200);
}

TEST_F(SiteFilesTest, UnpacksForWhoTakesNoGzip) {
  const auto plain = get("/", "");
  EXPECT_EQ(plain.text(), "the portal itself");
  EXPECT_EQ(header(plain, "Content-Encoding"), "");
  EXPECT_EQ(header(get("/"), "Content-Encoding"), "gzip");
  EXPECT_EQ(header(get("/assets/font-1.woff2"), "Content-Encoding"), "");
  EXPECT_EQ(get("/", "br").shared, plain.shared) << "unpacked once";
}

TEST_F(SiteFilesTest, CopiesNoFile) {
  EXPECT_EQ(get("/assets/app-1.js").fixed.data(), kScriptPacked.data());
  EXPECT_TRUE(get("/assets/app-1.js").body.empty());
}

TEST_F(SiteFilesTest, GuardsEveryPage) {
  for (const auto* path : {"/", "/login", "/assets/app-1.js", "/assets/missing.js"}) {
    const auto page = get(path);
    EXPECT_THAT(header(page, "Content-Security-Policy"),
                ::testing::AllOf(::testing::HasSubstr("script-src 'self';"),
                                 ::testing::HasSubstr("frame-ancestors 'none'")));
    EXPECT_EQ(header(page, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header(page, "Referrer-Policy"), "no-referrer");
  }
}

TEST_F(SiteFilesTest, KnowsNoOtherMethod) {
  method = "POST";
  EXPECT_EQ(get("/").status, 405);
  EXPECT_EQ(header(get("/"), "Allow"), "GET, HEAD");
  leave();
  EXPECT_EQ(get("/").status, 401);
}

TEST(TakesGzip, ReadsWeights) {
  for (const auto* yes : {"gzip", "GZIP", "deflate, gzip;q=1.0, *;q=0.5", "br, x-gzip", "*",
                          "gzip;q=0.001", "identity;q=0.5, gzip;q=0.5", "gzip ; q=0.8"})
    EXPECT_TRUE(takes_gzip(yes)) << yes;
  for (const auto* no : {"", "br", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "identity, gzip;q=0.5",
                         "gzip;q=x", "gzipped"})
    EXPECT_FALSE(takes_gzip(no)) << no;
}

TEST(EmbeddedSite, IsSortedAndWholeAndHoldsTheLoginPage) {
  ASSERT_FALSE(kSiteFiles.empty());
  EXPECT_TRUE(std::ranges::is_sorted(kSiteFiles, {}, &SiteFile::path));
  std::size_t open = 0;
  for (const auto& file : kSiteFiles) {
    open += file.login;
    if (!file.gzip) {
      EXPECT_EQ(file.bytes().size(), file.raw_size) << file.path;
      continue;
    }
    const auto plain = link::gunzip(file.bytes(), file.raw_size);
    ASSERT_TRUE(plain) << file.path;
    EXPECT_EQ(plain->size(), file.raw_size) << file.path;
  }
  EXPECT_GE(open, 6u);
  EXPECT_LT(open, kSiteFiles.size() / 2);
}

}  // namespace
}  // namespace lightship::portal
