// Texts that people read hold no password; URLs and proxies are checked before they are used.
#include "link/http_trouble.h"

#include <gtest/gtest.h>

namespace lightship::link {
namespace {

TEST(HttpText, HoldsNoCredentials) {
  EXPECT_EQ(without_credentials("Unsupported proxy 'ftp://joe:pa@ss@proxy:3128/x', sorry"),
            "Unsupported proxy 'ftp://***@proxy:3128/x', sorry");
  EXPECT_EQ(without_credentials("http://a:b@c and https://d:e@f"),
            "http://***@c and https://***@f");
  EXPECT_EQ(without_credentials("mail joe@site.example or http://host/p@q"),
            "mail joe@site.example or http://host/p@q");
}

TEST(HttpText, ShowsOfAUrlOnlyWhereItLeads) {
  EXPECT_EQ(shown_url("https://joe:secret@backend.example:8443/hooks/T0/B1?token=x"),
            "https://backend.example:8443");
  EXPECT_EQ(shown_url("http://[::1]:8080/"), "http://[::1]:8080");
  EXPECT_EQ(shown_url("/v2/elsewhere"), "?");
}

TEST(HttpText, KnowsAProxyFromAnythingElse) {
  for (const char* fine : {"", "none", "http://proxy:3128", "http://joe:x@proxy:3128",
                           "socks5h://127.0.0.1:1080", "https://proxy"})
    EXPECT_EQ(check_proxy(fine), std::nullopt) << fine;
  for (const char* wrong : {"ftp://proxy", "http://", "gopher"})
    EXPECT_NE(check_proxy(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace lightship::link
