// Writes heads. RFC 9110, 6.6.1 (Date) and 8.6 (Content-Length).
#include "portal/http/head.h"

#include <ctime>

#include <boost/beast/http/status.hpp>

#include "base/clock.h"

namespace lightship::portal {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Made once a second: every answer carries it.
std::string_view date() {
  static thread_local std::string text;
  static thread_local std::int64_t of = -1;
  const auto now =
      std::chrono::floor<std::chrono::seconds>(SystemClock().now()).time_since_epoch().count();
  if (now != of) {
    const std::time_t seconds = now;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char buffer[64];
    std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text = buffer;
    of = now;
  }
  return text;
}

}  // namespace

std::string head_of(const Response& response, bool last, bool chunked) {
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  std::string head;
  head.reserve(512);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\nServer: lightship\r\nDate: {}\r\n",
                 response.status, std::string_view(reason.data(), reason.size()), date());
  const auto put = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ");
    // Nothing that came from outside can begin a further field.
    for (const char c : value) {
      if (!is_control(c)) head += c;
    }
    head += "\r\n";
  };
  for (const auto& [name, value] : response.headers) put(name, value);
  const auto unless_set = [&](std::string_view name, std::string_view value) {
    if (!std::ranges::any_of(response.headers,
                             [&](const auto& header) { return header.first == name; }))
      put(name, value);
  };
  const bool body = response.status != 204 && response.status != 304;
  if (body) put("Content-Type", response.content_type);
  unless_set("Cache-Control", "no-store");
  unless_set("X-Content-Type-Options", "nosniff");
  unless_set("Referrer-Policy", "no-referrer");
  unless_set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  if (chunked)
    put("Transfer-Encoding", "chunked");
  else if (body && !response.pieces)
    put("Content-Length", std::to_string(response.text().size()));
  if (last) put("Connection", "close");
  head += "\r\n";
  return head;
}

}  // namespace lightship::portal
