// A small HTTP/1.1 server on the portal's loop: bounded connections, sizes and waits.
//
// The handler is a coroutine on that loop; it must not block. HEAD is answered like GET without a
// body.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace lightship::portal {

struct Request {
  std::string method, path, query;
  std::string authorization;
  asio::ip::address peer;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::map<std::string, std::string> headers;
};

// application/problem+json (RFC 9457).
Response problem(int status, std::string_view title, std::string_view detail);

class HttpServer {
 public:
  using Handler = std::function<Task<Response>(Request)>;

  HttpServer(asio::any_io_executor executor, Handler handler);
  ~HttpServer();

  // Binds and listens. Port 0 means any. unavailable: the text names the address and who has it.
  Result<void> listen(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;

  Task<void> serve();  // until cancelled or closed; ends with Asio's cancellation either way
  void close();

  static constexpr std::size_t kMostConnections = 256;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace lightship::portal
