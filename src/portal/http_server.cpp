// Serves HTTP with Beast.
#include "portal/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/system/system_error.hpp>

#include "base/json_writer.h"

namespace lightship::portal {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMostBody = 64 * 1024;
constexpr std::uint32_t kMostHeader = 16 * 1024;
constexpr auto kIdle = 30s;

}  // namespace

struct HttpServer::State {
  State(asio::any_io_executor on, Handler with)
      : executor(on), acceptor(on), handler(std::move(with)), sessions(on) {}
  asio::any_io_executor executor;
  tcp::acceptor acceptor;
  Handler handler;
  TaskGroup sessions;
};

namespace {

http::response<http::string_body> to_beast(Response response,
                                           const http::request<http::string_body>& asked) {
  http::response<http::string_body> out(static_cast<http::status>(response.status),
                                        asked.version());
  out.set(http::field::server, "lightship");
  out.set(http::field::content_type, response.content_type);
  out.set(http::field::cache_control, "no-store");
  out.set("X-Content-Type-Options", "nosniff");
  out.set("Referrer-Policy", "no-referrer");
  out.set("Content-Security-Policy",
          "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  for (const auto& [name, value] : response.headers) out.set(name, value);
  out.keep_alive(asked.keep_alive());
  out.body() = std::move(response.body);
  out.prepare_payload();
  return out;
}

Task<void> session(std::shared_ptr<const HttpServer::Handler> handler, tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer;
  boost::system::error_code failed;
  const auto peer = stream.socket().remote_endpoint(failed).address();
  while (!failed) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMostBody);
    parser.header_limit(kMostHeader);
    stream.expires_after(kIdle);
    co_await http::async_read(stream, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, failed));
    if (failed == http::error::body_limit || failed == http::error::header_limit) {
      http::request<http::string_body> none;
      none.version(11);
      none.keep_alive(false);
      auto refusal =
          to_beast(problem(413, "Too large", "the request is larger than this server takes"), none);
      co_await http::async_write(stream, refusal,
                                 asio::redirect_error(asio::use_awaitable, failed));
      break;
    }
    if (failed) break;
    const auto asked = parser.release();
    const std::string_view target(asked.target().data(), asked.target().size());
    const auto question = target.find('?');
    const auto authorization = asked[http::field::authorization];
    const auto method = asked.method_string();
    Request request{std::string(method), std::string(target.substr(0, question)),
                    question == std::string_view::npos ? std::string{}
                                                       : std::string(target.substr(question + 1)),
                    std::string(authorization), peer};
    const bool head = asked.method() == http::verb::head;
    if (head) request.method = "GET";
    auto answer = co_await (*handler)(std::move(request));
    auto response = to_beast(std::move(answer), asked);
    if (head) response.body().clear();  // the length stays that of the body
    stream.expires_after(kIdle);
    if (head) {
      http::response_serializer<http::string_body> serializer(response);
      co_await http::async_write_header(stream, serializer,
                                        asio::redirect_error(asio::use_awaitable, failed));
    } else {
      co_await http::async_write(stream, response,
                                 asio::redirect_error(asio::use_awaitable, failed));
    }
    if (!response.keep_alive()) break;
  }
  boost::system::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

Response problem(int status, std::string_view title, std::string_view detail) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  JsonWriter json(response.body);
  json.begin_object().member("type", "about:blank").member("title", title).member("status", status);
  json.member("detail", detail).end_object();
  return response;
}

HttpServer::HttpServer(asio::any_io_executor executor, Handler handler)
    : state_(std::make_shared<State>(std::move(executor), std::move(handler))) {}

HttpServer::~HttpServer() = default;

Result<void> HttpServer::listen(const std::string& address, std::uint16_t port) {
  boost::system::error_code failed;
  const auto where = asio::ip::make_address(address, failed);
  if (failed) return fail(Errc::invalid, "'{}' is not an address", address);
  auto& acceptor = state_->acceptor;
  const tcp::endpoint endpoint(where, port);
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(128, failed);
  if (failed) {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    Error error{Errc::unavailable,
                fmt::format("cannot listen on {}:{}: {}", address, port, failed.message()),
                failed.value()};
    return std::unexpected(std::move(error));
  }
  return {};
}

std::uint16_t HttpServer::port() const {
  boost::system::error_code ignored;
  return state_->acceptor.local_endpoint(ignored).port();
}

Task<void> HttpServer::serve() {
  const auto state = state_;
  const auto handler = std::make_shared<const Handler>(state->handler);
  std::exception_ptr why;
  try {
    for (;;) {
      boost::system::error_code failed;
      auto socket =
          co_await state->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
      if (failed == asio::error::operation_aborted || !state->acceptor.is_open()) {
        throw boost::system::system_error(asio::error::operation_aborted);
      }
      if (failed) {
        // No descriptor is left, or the like: what is open may close meanwhile.
        asio::steady_timer pause(state->executor, 100ms);
        co_await pause.async_wait(asio::use_awaitable);
        continue;
      }
      if (state->sessions.running() >= kMostConnections) continue;
      state->sessions.spawn(session(handler, std::move(socket)));
    }
  } catch (...) {
    why = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  state->sessions.cancel();
  co_await state->sessions.join();
  std::rethrow_exception(why);
}

void HttpServer::close() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
}

}  // namespace lightship::portal
