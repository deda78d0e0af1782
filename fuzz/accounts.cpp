// Any bytes as users.json, sessions.json, a line of the audit, and what a browser shows: what is
// taken is bounded, and what we write of it is read back as the same. Input: a letter that says
// which, then the text.
#include <set>

#include "base/text.h"
#include "modbus_input.h"
#include "portal/api/audit.h"
#include "portal/auth/cookie.h"
#include "portal/auth/password.h"
#include "portal/auth/secret.h"
#include "portal/auth/sessions.h"
#include "portal/auth/users.h"
#include "portal/http/message.h"

using namespace lightship;
using namespace lightship::portal;
using fuzz::require;

namespace {

void users(std::string_view text) {
  const auto list = users_from_json(text);
  if (!list) {
    require(list.error().code == Errc::invalid && !list.error().text.empty());
    return;
  }
  require(list->users.size() <= UserList::kMostUsers);
  require(list->tokens.size() <= UserList::kMostTokens);
  std::set<std::string> names;
  for (const auto& user : list->users) {
    require(is_id(user.name) && names.insert(to_lower(user.name)).second);
    require(is_password_hash(user.hash));
  }
  for (const auto& token : list->tokens)
    require(list->find(token.user) != nullptr && is_secret(token.digest));
  const auto written = to_json(*list);
  const auto again = users_from_json(written);
  require(again && to_json(*again) == written);
}

void sessions(std::string_view text) {
  const auto now = *from_rfc3339("2026-01-04T12:00:00.000Z");
  const MonoTime mono{std::chrono::hours(1)};
  Sessions some({});
  const auto memories = some.from_json(text, now, mono);
  if (!memories) {
    require(memories.error().code == Errc::invalid && some.size() == 0);
    return;
  }
  for (const auto* session : some.all()) {
    require(some.left(*session, mono) > Duration{});
    require(some.left(*session, mono) <= SessionLimits{}.idle);
  }
  for (const auto& [name, user] : memories->users)
    require(is_id(name) && user.networks.size() <= Memories::kMostNetworks);
  const auto written = some.to_json(*memories, now, mono);
  Sessions again({});
  const auto same = again.from_json(written, now, mono);
  require(same && again.size() == some.size());
}

void shown(std::string_view text) {
  Request request;
  request.headers.emplace_back("cookie", text);
  request.headers.emplace_back("authorization", text);
  Sessions none({});
  const MonoTime mono{std::chrono::hours(1)};
  for (const bool secure : {false, true}) {
    const Cookies cookies{"0123456789abcdef", secure};
    for (const auto& name : {cookies.session(), cookies.device()}) {
      if (const auto cookie = request.cookie(name)) require(none.find(*cookie, mono) == nullptr);
    }
  }
  const auto bearer = bearer_of(request.header("authorization"));
  require(!bearer || bearer->size() < text.size());
  require(!is_secret(text) || text.size() == 64);
}

void audit(std::string_view text) {
  constexpr std::size_t kLongestDetail = 500;
  if (const auto entry = audit_entry(text)) {
    require(!entry->time.empty() && !entry->event.empty());
    require(entry->detail.size() <= kLongestDetail);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  switch (data[0]) {
    case 'u':
      users(text);
      break;
    case 's':
      sessions(text);
      break;
    case 'c':
      shown(text);
      break;
    default:
      audit(text);
  }
  return 0;
}
