// One GET over HTTP or HTTPS, blocking: for commands that ask a gateway elsewhere.
#pragma once

#include <string>

#include "base/result.h"

namespace lightship::cli {

struct HttpGot {
  long status = 0;
  std::string content_type, body;
};

struct HttpAsk {
  std::string url;
  std::string token;    // shown as "Authorization: Bearer"; empty: none
  std::string ca_file;  // authorities to trust instead of the system's; empty: these
};

// At most 16 MiB within 10 s; redirects are not followed. Errc::invalid: the URL; unavailable: the
// connection, in words.
Result<HttpGot> http_get(const HttpAsk& ask);

}  // namespace lightship::cli
