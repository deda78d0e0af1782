// A WebSocket over Beast, for connection.cpp alone.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "portal/http/patience.h"
#include "portal/http/web_socket.h"

namespace lightship::portal {

template <class Stream>
class BeastWebSocket final : public WebSocket,
                             public std::enable_shared_from_this<BeastWebSocket<Stream>> {
 public:
  // A peer from which nothing came for this long, not even a pong, is gone.
  static constexpr auto kSilent = std::chrono::seconds(60);
  static constexpr auto kGoodbyeWithin = std::chrono::seconds(2);

  BeastWebSocket(std::shared_ptr<Stream> stream, std::size_t longest)
      : held_(std::move(stream)), stream_(*held_), limit_(stream_.get_executor()) {
    // The WebSocket has time-outs of its own.
    boost::beast::get_lowest_layer(stream_).expires_never();
    stream_.set_option(
        boost::beast::websocket::stream_base::timeout{std::chrono::seconds(10), kSilent, true});
    stream_.read_message_max(longest);
    stream_.auto_fragment(false);
  }

  template <class Asked>
  Task<bool> accept(const Asked& asked) {
    boost::system::error_code failed;
    stream_.set_option(boost::beast::websocket::stream_base::decorator(
        [](boost::beast::websocket::response_type& response) {
          response.set(boost::beast::http::field::server, "lightship");
        }));
    co_await stream_.async_accept(asked, asio::redirect_error(asio::use_awaitable, failed));
    stream_.text(true);
    co_return !failed;
  }

  Task<Result<std::string>> read() override {
    boost::beast::flat_buffer buffer;
    boost::system::error_code failed;
    co_await stream_.async_read(buffer, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return fail(Errc::closed, "{}", failed.message());
    if (!stream_.got_text()) {
      co_await close(1003, "only text is understood here");
      co_return fail(Errc::closed, "a binary message came");
    }
    co_return boost::beast::buffers_to_string(buffer.data());
  }

  Task<Result<void>> write(std::shared_ptr<const std::string> text) override {
    boost::system::error_code failed;
    guard(write_patience(text->size()));
    co_await stream_.async_write(asio::buffer(*text),
                                 asio::redirect_error(asio::use_awaitable, failed));
    limit_.cancel();
    if (failed && dropped_) co_return fail(Errc::timeout, "the peer takes nothing");
    if (failed) co_return fail(Errc::closed, "{}", failed.message());
    co_return Result<void>();
  }

  Task<void> close(std::uint16_t code, std::string_view reason) override {
    if (closing_ || dropped_) co_return;
    closing_ = true;
    boost::system::error_code failed;
    guard(kGoodbyeWithin);
    boost::beast::websocket::close_reason why(code);
    why.reason.assign(reason.data(), std::min<std::size_t>(reason.size(), 123));
    co_await stream_.async_close(why, asio::redirect_error(asio::use_awaitable, failed));
    limit_.cancel();
  }

  void drop() override {
    dropped_ = true;
    boost::system::error_code ignored;
    boost::beast::get_lowest_layer(stream_).socket().shutdown(asio::ip::tcp::socket::shutdown_both,
                                                              ignored);
  }

 private:
  void guard(std::chrono::seconds within) {
    limit_.expires_after(within);
    limit_.async_wait([weak = this->weak_from_this()](boost::system::error_code cancelled) {
      if (cancelled) return;
      if (const auto still = weak.lock()) still->drop();
    });
  }

  std::shared_ptr<Stream> held_;
  // Without compression: what is sent is small, and a dictionary for each peer is not.
  boost::beast::websocket::stream<Stream&, false> stream_;
  asio::steady_timer limit_;
  bool closing_ = false, dropped_ = false;
};

}  // namespace lightship::portal
