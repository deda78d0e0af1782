// What comes in and what goes out over HTTP, without a socket in sight.
//
// A handler gets a Request and gives a Response; how bytes travel is the connection's affair.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/task.h"
#include "portal/http/web_socket.h"

namespace lightship::portal {

struct Request {
  std::string method;  // "GET" also for HEAD
  std::string path;    // as asked, still percent-encoded, without the query
  std::string query;   // as asked, without '?'
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  asio::ip::address peer;
  bool secure = false;  // came over TLS

  std::string_view header(std::string_view name) const;  // its name in lower case; empty: none
  // The decoded value of a query parameter; nothing where it is not there or not well encoded.
  std::optional<std::string> parameter(std::string_view name) const;
  std::optional<std::string> cookie(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;

  // Instead of `body`: text that several answers share, or that lives as long as the program.
  std::shared_ptr<const std::string> shared{};
  std::string_view fixed{};
  // Instead of `body`: its pieces one after the other, until nothing comes. Sent chunked; when the
  // client goes away it is destroyed.
  std::function<Task<std::optional<std::string>>()> pieces{};
  // Instead of all: the connection becomes a WebSocket (RFC 6455) and is served by this until it
  // returns. Only where the request asked for one; see `asks_for_web_socket`.
  std::function<Task<void>(std::shared_ptr<WebSocket>)> web_socket{};

  std::string_view text() const;  // whichever of body, shared and fixed it is
};

// application/problem+json (RFC 9457). `type` is a word such as "password-change-required", or
// "about:blank".
Response problem(int status, std::string_view title, std::string_view detail,
                 std::string_view type = "about:blank");
// 200 with a JSON text.
Response json_answer(std::string text);
Response no_content();  // 204

bool asks_for_web_socket(const Request& request);

// RFC 3986, 2.1. Nothing where a % is not followed by two hex digits, or a NUL would come out.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace lightship::portal
