// Both spellings of the original are answered alike, and a group says what is below it.
#include "portal/api/groups.h"

#include <gmock/gmock.h>

#include "portal/api/openapi.h"
#include "portal/router.h"
#include "portal/testing/answered.h"

namespace lightship::portal {
namespace {

struct OpenGate : Gate {
  std::optional<Caller> who(const Request&) override {
    return Caller{.user = "anna", .role = Role::operate, .csrf = "c"};
  }
};

Task<Response> nowhere(const Request&, const std::optional<Caller>&) {
  co_return problem(404, "Not Found", "elsewhere");
}
Task<Response> said(std::string text) { co_return json_answer(text); }
Task<Response> device(const Call& call) { co_return json_answer(call.part("id")); }

class Groups : public ::testing::Test {
 protected:
  Groups() {
    router.add(
        {"GET", "/api/device-health", Role::viewer, [](const Call&) { return said("all"); }});
    router.add({"GET", "/api/status", Role::viewer, [](const Call&) { return said("how"); }});
    router.add({"POST", "/api/device/{id}/poll", Role::operate, device});
    router.add({"GET", "/api/diag/time", Role::viewer, [](const Call&) { return said("now"); }});
    router.add({"POST", "/api/diag/ping", Role::operate, [](const Call&) { return said("-"); }});
    add_groups(router);
    add_openapi(router);
  }
  Response ask(std::string method, std::string path, std::string accept = "") {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = {{"x-csrf-token", "c"}, {"accept-encoding", std::move(accept)}};
    return answered(router.answer(request));
  }
  OpenGate gate;
  Router router{gate, nowhere};
};

TEST_F(Groups, AnswerTheOtherSpellingAlike) {
  EXPECT_EQ(ask("GET", "/api/devices").text(), "all");
  EXPECT_EQ(ask("GET", "/api/service").text(), "how");
  EXPECT_EQ(ask("POST", "/api/devices/a%2Fb/poll").text(), "a/b");
  EXPECT_EQ(ask("GET", "/api/devices/a%2Fb/poll").status, 405);
}

TEST_F(Groups, SayWhatIsBelow) {
  EXPECT_EQ(ask("GET", "/api/diag").text(),
            R"({"items":[{"method":"GET","path":"/api/diag/time","role":"viewer"},)"
            R"({"method":"POST","path":"/api/diag/ping","role":"operator"}],"next":null})");
}

TEST_F(Groups, TheDescriptionIsPackedWhereThatIsTaken) {
  const auto plain = ask("GET", "/api/openapi.json");
  EXPECT_EQ(plain.fixed.data(), kOpenapi.data());
  EXPECT_THAT(std::string(plain.text()), ::testing::StartsWith("{\n  \"openapi\": \"3.1.0\""));
  EXPECT_LT(ask("GET", "/api/openapi.json", "gzip").text().size(), kOpenapi.size() / 4);
}

}  // namespace
}  // namespace lightship::portal
