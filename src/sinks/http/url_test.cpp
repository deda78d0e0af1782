// Placeholders in URLs.
#include "sinks/http/url.h"

#include <gmock/gmock.h>

namespace lightship::http {
namespace {

using Values = std::vector<std::pair<std::string_view, std::string_view>>;
using testing::HasSubstr;
using testing::Optional;

TEST(HttpUrl, IsFilledWithWhatTheMessageIsAbout) {
  const Values values{{"device_id", "site"},
                      {"connection_id", "main"},
                      {"client_id", "m-1"},
                      {"type", "electrical"}};
  EXPECT_EQ(fill_url("https://x.example/{device_id}/{type}/{connection_id}/{client_id}", values),
            "https://x.example/site/electrical/main/m-1");
  EXPECT_EQ(fill_url("https://x.example/v1", values), "https://x.example/v1");
}

TEST(HttpUrl, EscapesWhatANameBringsAlong) {
  const Values values{{"point", "a/b?c=d&e#f %é"}};
  EXPECT_EQ(fill_url("http://x/{point}", values), "http://x/a%2Fb%3Fc%3Dd%26e%23f%20%25%C3%A9");
}

TEST(HttpUrl, IsCheckedBeforeAnythingIsSent) {
  EXPECT_EQ(check_url("https://x.example:8443/v1/{type}?site={device_id}", false), std::nullopt);
  EXPECT_EQ(check_url("http://[::1]:8080/v1", false), std::nullopt);
  EXPECT_THAT(check_url("ftp://x.example/", false), Optional(HasSubstr("http://")));
  EXPECT_THAT(check_url("x.example/v1", false), Optional(HasSubstr("http://")));
  EXPECT_THAT(check_url("http://", false), Optional(HasSubstr("expected")));
  EXPECT_THAT(check_url("http://x.example/a b", false), Optional(HasSubstr("blank")));
  EXPECT_THAT(check_url("http://x.example:99999/", false), Optional(HasSubstr("expected")));
  EXPECT_THAT(check_url("http://x/{clint_id}", false), Optional(HasSubstr("{clint_id}")));
  EXPECT_THAT(check_url("http://x/{type", false), Optional(HasSubstr("'}'")));
}

TEST(HttpUrl, KnowsThePointOnlyWhereThereIsOne) {
  EXPECT_EQ(check_url("http://x/{point}", true), std::nullopt);
  EXPECT_THAT(check_url("http://x/{point}", false), Optional(HasSubstr("per_point")));
}

TEST(Url, TheServerIsHostAndPortWithoutUserAndPassword) {
  EXPECT_EQ(server_of("https://user:secret@a.example/v1/{point}"), (Server{"a.example", 443}));
  EXPECT_EQ(server_of("http://a.example:8080?x=1"), (Server{"a.example", 8080}));
  EXPECT_EQ(server_of("HTTP://[2001:db8::1]:81/"), (Server{"[2001:db8::1]", 81}));
  EXPECT_EQ(server_of("http://{device_id}.example/"), std::nullopt);
  EXPECT_EQ(server_of("http://a:99999/"), std::nullopt);
  EXPECT_EQ(server_of("a.example"), std::nullopt);
}

}  // namespace
}  // namespace lightship::http
