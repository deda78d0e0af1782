// What the resources about people share: bodies that are read, problems that name a field, and the
// line in the audit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "portal/house.h"
#include "portal/router.h"

namespace lightship::portal {

// The text of a member, of at most 2000 bytes; nothing where there is none.
std::optional<std::string> text_of(const boost::json::object& body, std::string_view name);

// 422 with `errors` (RFC 9457, 3.2), for a form to show at its field.
Response wrong_field(std::string_view field, std::string_view message,
                     std::string_view type = "about:blank");
// "30 s", "4 min": rounded up, for who waits.
std::string in_words(Duration wait);
// 429 with Retry-After and the time in words.
Response locked_problem(Duration wait);
// 503: too many passwords wait to be checked.
Response busy_problem();
// 403 where a token was shown: what only who has logged in may. `why` is a sentence.
std::optional<Response> if_token(const Call& call, std::string_view why);
// What a change of users or tokens ended with.
Response change_problem(const Error& error);

// One line, in words that are searched for: "user-added", by whom and from where, and what else
// there is to say. Waits for the field loop at most its usual patience: a loop that hangs must not
// keep out the one who comes to look why.
struct AuditLine {
  std::string event, user, address;
  std::vector<std::pair<std::string, std::string>> more;
};
Task<void> tell_audit(Field& field, AuditLine line);
Task<void> tell_audit(House& house, AuditLine line);
AuditLine line_of(const Call& call, std::string event,
                  std::vector<std::pair<std::string, std::string>> more = {});

}  // namespace lightship::portal
