// One connection: requests read within limits, answered one after the other, a WebSocket in the
// end.
//
// HTTP/1.1 (RFC 9110, RFC 9112) with keep-alive, pipelining, chunked answers and HEAD. Header, body
// and each stretch of an answer have a limit in size and in time; who exceeds it is told so where
// that is possible, and cut.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include "portal/http/message.h"
#include "portal/http/visitors.h"

namespace lightship::portal {

// What all connections of a server share.
struct Hall {
  // Answers a request; never throws but for cancellation.
  std::function<Task<Response>(const Request&)> handler;
  // Whether who asks is known: asked with the header alone. Nobody else sends large bodies.
  std::function<bool(const Request&)> known;
  std::shared_ptr<asio::ssl::context> tls;  // nothing: plain
  Visitors visitors{Visitors::Limits{}};

  // What a request may be.
  static constexpr std::uint32_t kMostHeader = 16 * 1024;
  static constexpr std::size_t kMostTarget = 8 * 1024;
  static constexpr std::size_t kMostBody = 256 * 1024;
  static constexpr std::size_t kMostBodyOfStranger = 8 * 1024;
  static constexpr std::size_t kMostMessage = 16 * 1024;  // of a WebSocket
};

// Serves the connection to its end. On the portal's loop.
Task<void> serve_connection(std::shared_ptr<Hall> hall, asio::ip::tcp::socket socket);

}  // namespace lightship::portal
