// The listener: binds, accepts, and ends its connections when it ends.
#pragma once

#include <string>

#include "base/result.h"
#include "portal/http/connection.h"

namespace lightship::portal {

class HttpServer {
 public:
  HttpServer(asio::any_io_executor executor, std::shared_ptr<Hall> hall);
  ~HttpServer();

  // Binds and listens. Port 0 means any. unavailable: the text names the address.
  Result<void> listen(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;

  Task<void> serve();  // until cancelled or closed; ends with Asio's cancellation either way
  void close();

 private:
  asio::any_io_executor executor_;
  asio::ip::tcp::acceptor acceptor_;
  std::shared_ptr<Hall> hall_;
  TaskGroup connections_;
};

}  // namespace lightship::portal
