// Which pages are ours.
#include "portal/auth/origin.h"

#include <gtest/gtest.h>

namespace lightship::portal {
namespace {

Request asked(bool secure, std::string host = "gateway.local:8443") {
  Request request;
  request.secure = secure;
  request.headers.emplace_back("host", std::move(host));
  return request;
}

TEST(Origin, IsOursOverTlsOnlyWithHttps) {
  EXPECT_TRUE(is_own_origin(asked(true), "https://gateway.local:8443"));
  EXPECT_TRUE(is_own_origin(asked(true), "HTTPS://GATEWAY.local:8443"));
  EXPECT_FALSE(is_own_origin(asked(true), "http://gateway.local:8443"));
}

TEST(Origin, IsOursOnPlainHttpAlsoBehindAProxyThatEndsTls) {
  EXPECT_TRUE(is_own_origin(asked(false), "http://gateway.local:8443"));
  EXPECT_TRUE(is_own_origin(asked(false), "https://gateway.local:8443"));
}

TEST(Origin, IsNotOursWithAnotherSchemeHostOrPort) {
  for (const auto* origin :
       {"ftp://gateway.local:8443", "://gateway.local:8443", "null", "", "gateway.local:8443",
        "https://gateway.local", "https://gateway.local:8444", "https://evil.example:8443",
        "https://evil.example?gateway.local:8443"})
    EXPECT_FALSE(is_own_origin(asked(false), origin)) << origin;
  EXPECT_FALSE(is_own_origin(asked(false, ""), "http://")) << "no host was asked";
}

}  // namespace
}  // namespace lightship::portal
