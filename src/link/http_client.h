// An HTTP client as Tasks: libcurl on one thread of its own, behind one thin door.
//
// The thread drives all requests at once, so one that hangs delays no other, and keeps connections
// open between them. Every request has a limit for its connection and for the whole of it; of an
// answer the first part is kept and a bit more is read, then the connection is closed. Redirects
// are not followed. Nothing here logs, and no text that comes out holds a password.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace lightship::link {

struct HttpSettings {
  Duration connect_timeout = std::chrono::seconds(10);
  Duration timeout = std::chrono::seconds(30);  // the whole exchange, the connection included
  bool tls_verify = true;                       // certificate and name; TLS 1.2 at least either way
  std::string ca_file;              // authorities to trust instead of the system's (PEM)
  std::string cert_file, key_file;  // our own certificate (PEM)
  std::string proxy;  // http://, https://, socks5:// and so on; "none"; empty: the environment's
  std::string proxy_username, proxy_password;
};

struct HttpRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::shared_ptr<const HttpSettings> settings;
};

struct HttpAnswer {
  int status = 0;
  std::string body;  // at most kKept bytes of it
  std::optional<std::string> retry_after, location;
  bool whole = true;  // false: it was cut, by the server or by our limits
  bool fresh = true;  // over a new connection
  Duration took{};

  static constexpr std::size_t kKept = 64 << 10;
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();  // requests that are under way end with Errc::cancelled
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // An answer is one from the moment its headers are complete, whatever its status. Errors:
  // unavailable (name, connection, TLS; the text says which), timeout, closed (the connection ended
  // without an answer), malformed (it is not HTTP), refused (by the proxy: detail is its status),
  // invalid (the URL, a file).
  // Cancelling the caller ends the request.
  Task<Result<HttpAnswer>> post(HttpRequest request);

  // Several in this order, one at a time and without a word to the caller in between, which is what
  // costs most: the next leaves when the one before was answered with 2xx. As many outcomes as were
  // sent, at least one; the first that is no 2xx is the last, and none is begun after a second.
  Task<std::vector<Result<HttpAnswer>>> post_each(std::vector<HttpRequest> requests);

 private:
  struct Thread;
  std::shared_ptr<Thread> thread_;
};

// "https://backend.example:8443": without path, query and credentials, to be shown.
std::string shown_url(const std::string& url);

// What is wrong with the URL to post to, or nothing.
std::optional<std::string> check_http_url(const std::string& url);
std::optional<std::string> check_proxy(const std::string& proxy);

}  // namespace lightship::link
