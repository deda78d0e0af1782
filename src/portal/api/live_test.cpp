// Who may upgrade to the live feed.
#include "portal/api/live.h"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "base/manual_clock.h"
#include "portal/live/hub.h"
#include "portal/testing/answered.h"

namespace lightship::portal {
namespace {

struct OneCaller : Gate {
  std::optional<Caller> caller;
  std::optional<Caller> who(const Request&) override { return caller; }
};

struct Door {
  asio::io_context loop;
  ManualClock clock{loop};
  LiveHub hub{loop.get_executor(), clock};
  OneCaller gate;
  Router router{gate, nullptr};
  Request request;

  Door() {
    add_live(router, hub);
    gate.caller = Caller{.user = "anna", .session = "s1"};
    request.method = "GET";
    request.path = "/api/live";
    request.headers = {{"host", "gateway.local:8080"},
                       {"connection", "keep-alive, Upgrade"},
                       {"upgrade", "websocket"},
                       {"origin", "http://gateway.local:8080"}};
  }
  void origin(std::string text) { request.headers.back().second = std::move(text); }
  int status() { return answered(router.answer(request)).status; }
};

TEST(LiveDoor, OpensForAPageOfThisPortal) {
  Door door;
  const auto response = answered(door.router.answer(door.request));
  EXPECT_EQ(response.status, 101);
  EXPECT_TRUE(response.web_socket);
}

TEST(LiveDoor, StaysShutForWhoHasNoSession) {
  Door door;
  door.gate.caller.reset();
  EXPECT_EQ(door.status(), 401);
}

TEST(LiveDoor, StaysShutWhileThePasswordMustBeChanged) {
  Door door;
  door.gate.caller->must_change_password = true;
  EXPECT_EQ(door.status(), 403);
}

TEST(LiveDoor, StaysShutForPagesFromElsewhere) {
  Door door;
  for (const auto* origin :
       {"http://evil.example", "http://gateway.local", "http://gateway.local:8081", "null",
        "http://gateway.local:8080.evil.example", "https://evil.example?gateway.local:8080"}) {
    door.origin(origin);
    EXPECT_EQ(door.status(), 403) << origin;
  }
  door.origin("https://GATEWAY.local:8080");
  EXPECT_EQ(door.status(), 101);
  door.request.secure = true;
  door.origin("http://gateway.local:8080");
  EXPECT_EQ(door.status(), 403) << "who sits on the wire can make any page of plain http";
}

TEST(LiveDoor, NeedsAnOriginUnlessATokenIsShown) {
  Door door;
  door.request.headers.pop_back();
  EXPECT_EQ(door.status(), 403);
  door.gate.caller = Caller{.user = "anna", .token = "t1"};
  EXPECT_EQ(door.status(), 101);
}

TEST(LiveDoor, SaysThatAnUpgradeIsNeeded) {
  Door door;
  std::erase_if(door.request.headers, [](const auto& header) { return header.first == "upgrade"; });
  EXPECT_EQ(door.status(), 426);
}

}  // namespace
}  // namespace lightship::portal
