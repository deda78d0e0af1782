// Accepts connections, each a task of its own.
#include "portal/http/server.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

namespace lightship::portal {

using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

// Whoever stops the portal waits so long at most for WebSockets whose peers do not answer.
constexpr auto kGoodbyeWithin = 250ms;

}  // namespace

HttpServer::HttpServer(asio::any_io_executor executor, std::shared_ptr<Hall> hall)
    : executor_(executor), acceptor_(executor), hall_(std::move(hall)), connections_(executor) {}

HttpServer::~HttpServer() = default;

Result<void> HttpServer::listen(const std::string& address, std::uint16_t port) {
  boost::system::error_code failed;
  const auto where = asio::ip::make_address(address, failed);
  if (failed) return fail(Errc::invalid, "'{}' is not an address", address);
  const tcp::endpoint endpoint(where, port);
  acceptor_.open(endpoint.protocol(), failed);
  if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(1024, failed);
  if (failed) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    Error error{Errc::unavailable,
                fmt::format("cannot listen on {}:{}: {}", address, port, failed.message()),
                failed.value()};
    return std::unexpected(std::move(error));
  }
  return {};
}

std::uint16_t HttpServer::port() const {
  boost::system::error_code ignored;
  return acceptor_.local_endpoint(ignored).port();
}

Task<void> HttpServer::serve() {
  std::exception_ptr why;
  try {
    for (;;) {
      boost::system::error_code failed;
      auto socket =
          co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
      if (failed == asio::error::operation_aborted || !acceptor_.is_open())
        throw boost::system::system_error(asio::error::operation_aborted);
      if (failed) {
        // No descriptor is left, or the like: what is open may close meanwhile.
        asio::steady_timer pause(executor_, 100ms);
        co_await pause.async_wait(asio::use_awaitable);
        continue;
      }
      connections_.spawn(serve_connection(hall_, std::move(socket)));
    }
  } catch (...) {
    why = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  hall_->visitors.drop_requests();
  // Who serves the WebSockets was told to stop as well and says goodbye to each.
  asio::steady_timer pause(executor_);
  const auto until = steady_now() + kGoodbyeWithin;
  while (hall_->visitors.web_sockets() > 0 && steady_now() < until) {
    pause.expires_after(5ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
  hall_->visitors.drop_all();
  connections_.cancel();
  co_await connections_.join();
  std::rethrow_exception(why);
}

void HttpServer::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

}  // namespace lightship::portal
