// What went wrong where there was no answer, in words for people, and the checks of URLs.
#pragma once

#include <string>

#include <curl/curl.h>

#include "base/result.h"
#include "link/http_client.h"

namespace lightship::link {

// `said` is curl's own text. The handle still knows how far the request came.
Error http_trouble(CURL* easy, CURLcode code, const char* said, const HttpSettings& settings,
                   std::size_t body_size);

// "http://user:password@proxy:3128" -> "http://***@proxy:3128".
std::string without_credentials(std::string_view text);

}  // namespace lightship::link
