// What an endpoint's answer means for the messages that were posted.
//
// Pure: no I/O, no clock. The table of src/sinks/http/README.md, in code.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "link/http_client.h"

namespace lightship::http {

enum class Verdict {
  delivered,  // 2xx
  retry,      // nobody's fault that a little time does not heal
  split,      // one of the batch is wrong, or the batch is too large: halve it
  set_aside,  // these messages will never be taken
  refused,    // the endpoint or its credentials are wrong, not the message: keep it, tell a person
};

// Where the URL was made for one device or point, a refusal of the URL (403, 404, 405, 410, 451) is
// the messages' own: the others have other URLs.
bool refuses_url(int status);
enum class Url { shared, of_device };
Verdict judge(const Result<link::HttpAnswer>& outcome, std::size_t messages, Url url = Url::shared);

// "HTTP 422: {"error":"unknown device"}" or the error's own text; one line, cut to `most` bytes.
// Each of `secrets`, the longer ones first, is replaced before anything is cut, so that none is cut
// in two and passed over.
std::string reason_of(const Result<link::HttpAnswer>& outcome, std::size_t most = 300,
                      std::span<const std::string> secrets = {});

// Retry-After (RFC 9110, 10.2.3): seconds, or a date in one of HTTP's three forms.
std::optional<Duration> parse_retry_after(std::string_view text, Time now);

// A server may ask for this much and is obeyed; who asks for more is asked again earlier.
inline constexpr Duration kMostRetryAfter = std::chrono::minutes(15);

}  // namespace lightship::http
