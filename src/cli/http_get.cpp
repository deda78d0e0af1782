// libcurl's easy interface.
#include "cli/http_get.h"

#include <memory>

#include <curl/curl.h>

namespace lightship::cli {
namespace {

constexpr std::size_t kMuch = 16 << 20;

std::size_t take(char* data, std::size_t size, std::size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size * count > kMuch) return 0;
  body.append(data, size * count);
  return size * count;
}

}  // namespace

Result<HttpGot> http_get(const HttpAsk& ask) {
  if (!ask.url.starts_with("http://") && !ask.url.starts_with("https://"))
    return fail(Errc::invalid, "'{}' is not a URL such as http://127.0.0.1:8080", ask.url);
  ::curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(::curl_easy_init(), ::curl_easy_cleanup);
  if (!curl) return fail(Errc::unavailable, "libcurl cannot be started");
  HttpGot got;
  curl_slist* fields = nullptr;
  if (!ask.token.empty())
    fields = ::curl_slist_append(fields, ("Authorization: Bearer " + ask.token).c_str());
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> kept(fields, ::curl_slist_free_all);
  char text[CURL_ERROR_SIZE] = "";
  auto* handle = curl.get();
  ::curl_easy_setopt(handle, CURLOPT_URL, ask.url.c_str());
  ::curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  ::curl_easy_setopt(handle, CURLOPT_HTTPHEADER, fields);
  ::curl_easy_setopt(handle, CURLOPT_USERAGENT, "lightship");
  ::curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  ::curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 10'000L);
  ::curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, text);
  ::curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take);
  ::curl_easy_setopt(handle, CURLOPT_WRITEDATA, &got.body);
  if (!ask.ca_file.empty()) ::curl_easy_setopt(handle, CURLOPT_CAINFO, ask.ca_file.c_str());
  const auto result = ::curl_easy_perform(handle);
  if (result == CURLE_URL_MALFORMAT)
    return fail(Errc::invalid, "'{}' is not a URL such as http://127.0.0.1:8080", ask.url);
  if (result != CURLE_OK)
    return fail(Errc::unavailable, "{}: {}", ask.url,
                *text != '\0' ? text : ::curl_easy_strerror(result));
  ::curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &got.status);
  const char* type = nullptr;
  ::curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) got.content_type = type;
  return got;
}

}  // namespace lightship::cli
