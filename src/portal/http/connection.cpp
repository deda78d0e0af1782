// Beast reads requests and speaks WebSocket; answers are written here.
#include "portal/http/connection.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/detect_ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "portal/http/beast_web_socket.h"
#include "portal/http/head.h"

namespace lightship::portal {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr auto kHeaderWithin = 30s;  // from the end of the last answer, idle time included
constexpr auto kBodyWithin = 20s;
constexpr auto kHandshakeWithin = 10s;
// An answer goes out in stretches, each within the time: slower than 3 kB/s is cut.
constexpr std::size_t kStretch = 64 * 1024;
constexpr auto kStretchWithin = 20s;

// Beast wants the whole of a header, or of a line that begins a chunk, before it takes any of it: a
// chunk's extension without an end would be held to its end.
constexpr std::size_t kMostUnread = 64 * 1024;

using Parser = http::request_parser<http::string_body>;
using Plain = beast::tcp_stream;
// Over the plain stream, which stays where it is and can be shut down from outside.
using Secure = asio::ssl::stream<beast::tcp_stream&>;

auto into(boost::system::error_code& failed) {
  return asio::redirect_error(asio::use_awaitable, failed);
}

Request to_request(const http::request<http::string_body>& asked, const asio::ip::address& peer,
                   bool secure) {
  Request request;
  const std::string_view method(asked.method_string().data(), asked.method_string().size());
  request.method = method == "HEAD" ? "GET" : method;
  const std::string_view target(asked.target().data(), asked.target().size());
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  for (const auto& field : asked) {
    std::string name(field.name_string());
    for (auto& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  // A listener on [::] shows IPv4 as ::ffff:192.0.2.7; nobody looks for that.
  request.peer = peer;
  if (peer.is_v6() && peer.to_v6().is_v4_mapped())
    request.peer = asio::ip::make_address_v4(asio::ip::v4_mapped, peer.to_v6());
  request.secure = secure;
  return request;
}

Response too_large(std::size_t most) {
  return problem(413, "Content Too Large", fmt::format("The body is larger than {} bytes.", most));
}

// `most`: of the body.
Response refusal(boost::system::error_code why, std::size_t most) {
  if (why == http::error::header_limit)
    return problem(431, "Request Header Fields Too Large",
                   fmt::format("The header is larger than {} bytes.", Hall::kMostHeader));
  if (why == http::error::body_limit) return too_large(most);
  return problem(400, "Bad Request", fmt::format("This is no HTTP request: {}.", why.message()));
}

// What Beast accepts and this server does not.
std::optional<Response> refuse(const http::request<http::string_body>& asked) {
  const auto target = asked.target();
  if (target.size() > Hall::kMostTarget)
    return problem(414, "URI Too Long",
                   fmt::format("The address is longer than {} bytes.", Hall::kMostTarget));
  if (target.empty() || target.front() != '/')
    return problem(400, "Bad Request", "The address of a request begins with a slash.");
  if (asked.version() != 11 && asked.version() != 10)
    return problem(505, "HTTP Version Not Supported", "HTTP/1.1 is spoken here.");
  const auto hosts = asked.count(http::field::host);
  if (hosts > 1 || (asked.version() == 11 && hosts == 0))
    return problem(400, "Bad Request", "A request has exactly one header Host.");
  if (asked.count(http::field::transfer_encoding) > 0 &&
      asked.count(http::field::content_length) > 0)
    return problem(400, "Bad Request", "Transfer-Encoding and Content-Length exclude each other.");
  // RFC 9112, 6.1: who stands between us and the peer may see another end of the body.
  const auto codings = asked.count(http::field::transfer_encoding);
  if (codings > 0 && asked.version() != 11)
    return problem(400, "Bad Request", "Transfer-Encoding is of HTTP/1.1.");
  if (codings > 1 ||
      (codings == 1 && !beast::iequals(asked[http::field::transfer_encoding], "chunked")))
    return problem(501, "Not Implemented", "The only transfer coding that is known is chunked.");
  return std::nullopt;
}

template <class Stream>
Task<bool> write_all(Stream& stream, std::string_view head, std::string_view body) {
  boost::system::error_code failed;
  auto& lowest = beast::get_lowest_layer(stream);
  auto part = body.substr(0, kStretch);
  lowest.expires_after(kStretchWithin);
  const std::array<asio::const_buffer, 2> first{asio::buffer(head), asio::buffer(part)};
  co_await asio::async_write(stream, first, into(failed));
  body.remove_prefix(part.size());
  while (!failed && !body.empty()) {
    part = body.substr(0, kStretch);
    lowest.expires_after(kStretchWithin);
    co_await asio::async_write(stream, asio::buffer(part), into(failed));
    body.remove_prefix(part.size());
  }
  co_return !failed;
}

template <class Stream>
Task<bool> write_pieces(Stream& stream, const Response& response, bool chunked) {
  for (;;) {
    const auto piece = co_await response.pieces();
    if (!piece) break;
    if (piece->empty()) continue;
    const auto size = chunked ? fmt::format("{:x}\r\n", piece->size()) : std::string();
    if (!co_await write_all(stream, size, *piece)) co_return false;
    if (chunked && !co_await write_all(stream, "\r\n", {})) co_return false;
  }
  if (!chunked) co_return true;
  co_return co_await write_all(stream, "0\r\n\r\n", {});
}

struct Asked {
  unsigned version;
  bool head, keep_alive;
};

// True: the connection may go on.
template <class Stream>
Task<bool> write_answer(Stream& stream, const Response& response, Asked asked) {
  const bool chunked = response.pieces && asked.version == 11;
  const bool last = !asked.keep_alive || (response.pieces && !chunked);
  const auto head = head_of(response, last, chunked);
  const bool bare = asked.head || response.status == 204 || response.status == 304;
  if (response.pieces && !bare) {
    if (!co_await write_all(stream, head, {})) co_return false;
    co_return co_await write_pieces(stream, response, chunked) && !last;
  }
  co_return co_await write_all(stream, head, bare ? std::string_view{} : response.text()) && !last;
}

// A request after which the connection is a WebSocket.
struct Upgrade {
  http::request<http::string_body> asked;
  std::function<Task<void>(std::shared_ptr<WebSocket>)> serve;
};

template <class Stream>
Task<void> be_web_socket(std::shared_ptr<Stream> stream, std::unique_ptr<Upgrade> upgrade) {
  const auto socket =
      std::make_shared<BeastWebSocket<Stream>>(std::move(stream), Hall::kMostMessage);
  if (!co_await socket->accept(upgrade->asked)) co_return;
  const auto serve = std::move(upgrade->serve);
  upgrade.reset();
  co_await serve(socket);
  socket->drop();
}

// Until the connection is over, or another one than HTTP. What it needs to read requests goes with
// it: there may be thousands of WebSockets.
template <class Stream>
Task<std::unique_ptr<Upgrade>> converse(std::shared_ptr<Hall> hall, std::shared_ptr<Stream> held,
                                        Visitors::Visit& visit, beast::flat_buffer buffer,
                                        asio::ip::address peer, bool secure) {
  boost::system::error_code failed;
  auto& stream = *held;
  auto& lowest = beast::get_lowest_layer(stream);
  for (;;) {
    Parser parser;
    parser.header_limit(Hall::kMostHeader);
    std::size_t most_body = Hall::kMostBody;
    parser.body_limit(most_body);
    lowest.expires_after(kHeaderWithin);
    co_await http::async_read_header(stream, buffer, parser, into(failed));
    Request request;
    if (!failed) {
      if (const auto why = refuse(parser.get())) {
        co_await write_answer(stream, *why, {11, false, false});
        break;
      }
      // What comes behind the body (RFC 9112, 7.1.2) is no header.
      request = to_request(parser.get(), peer, secure);
      if (!hall->known || !hall->known(request)) {
        most_body = Hall::kMostBodyOfStranger;
        parser.body_limit(most_body);
        if (parser.content_length().value_or(0) > most_body) {
          co_await write_answer(stream, too_large(most_body), {11, false, false});
          break;
        }
      }
      if (parser.get()[http::field::expect] == "100-continue") {
        if (!co_await write_all(stream, "HTTP/1.1 100 Continue\r\n\r\n", {})) break;
      }
      lowest.expires_after(kBodyWithin);
      co_await http::async_read(stream, buffer, parser, into(failed));
    }
    if (failed) {
      const bool told = failed.category() == make_error_code(http::error::end_of_stream).category();
      if (told && failed != http::error::end_of_stream && failed != http::error::partial_message)
        co_await write_answer(stream, refusal(failed, most_body), {11, false, false});
      break;
    }
    // Only now: who sends a header and nothing more may be closed for somebody else.
    visit.busy(true);
    auto asked = parser.release();
    request.body = std::move(asked.body());
    auto response = co_await hall->handler(request);
    if (response.web_socket) {
      if (visit.become_web_socket()) {
        co_return std::make_unique<Upgrade>(std::move(asked), std::move(response.web_socket));
      }
      response = problem(503, "Service Unavailable", "All places for live connections are taken.");
    }
    const Asked how{asked.version(), asked.method() == http::verb::head, asked.keep_alive()};
    if (!co_await write_answer(stream, response, how)) break;
    visit.busy(false);
  }
  // What was said last is read by the peer only when the connection is not reset under it.
  // Meanwhile it holds a place that somebody with a request may need more.
  visit.busy(false);
  lowest.expires_after(2s);
  if constexpr (std::is_same_v<Stream, Secure>) co_await stream.async_shutdown(into(failed));
  lowest.socket().shutdown(tcp::socket::shutdown_send, failed);
  char rest[4096];
  for (std::size_t most = 64; most > 0 && !failed; --most)
    co_await lowest.async_read_some(asio::buffer(rest), into(failed));
  co_return nullptr;
}

// Somebody speaks plain HTTP where TLS is spoken: told where to go.
Task<void> send_to_https(Plain& stream, beast::flat_buffer buffer) {
  boost::system::error_code failed;
  Parser parser;
  parser.header_limit(Hall::kMostHeader);
  parser.body_limit(Hall::kMostBody);
  stream.expires_after(kHandshakeWithin);
  co_await http::async_read_header(stream, buffer, parser, into(failed));
  if (failed) co_return;
  const auto& asked = parser.get();
  const auto host = asked[http::field::host];
  auto answer = problem(400, "Bad Request", "HTTPS is spoken here.");
  if (!host.empty() && !refuse(asked)) {
    answer = problem(308, "Permanent Redirect", "HTTPS is spoken here.");
    answer.headers.emplace_back(
        "Location", fmt::format("https://{}{}", std::string(host), std::string(asked.target())));
  }
  co_await write_answer(stream, answer, {11, false, false});
}

}  // namespace

Task<void> serve_connection(std::shared_ptr<Hall> hall, tcp::socket socket) {
  boost::system::error_code failed;
  const auto peer = socket.remote_endpoint(failed).address();
  if (failed) co_return;
  socket.set_option(tcp::no_delay(true), failed);
  const auto plain = std::make_shared<Plain>(std::move(socket));
  // Shut down, every operation on it ends, and whoever waits for one goes home.
  const auto drop = [weak = std::weak_ptr(plain)] {
    boost::system::error_code ignored;
    if (const auto still = weak.lock())
      still->socket().shutdown(tcp::socket::shutdown_both, ignored);
  };
  const auto visit = hall->visitors.admit(peer, drop);
  if (!visit) {
    co_await write_answer(
        *plain, problem(503, "Service Unavailable", "All connections of this server are taken."),
        {11, false, false});
    co_return;
  }
  beast::flat_buffer buffer(kMostUnread);
  if (!hall->tls) {
    auto upgrade = co_await converse(hall, plain, *visit, std::move(buffer), peer, false);
    if (upgrade) co_await be_web_socket(plain, std::move(upgrade));
    co_return;
  }
  plain->expires_after(kHandshakeWithin);
  const bool hello = co_await beast::async_detect_ssl(*plain, buffer, into(failed));
  if (failed) co_return;
  if (!hello) {
    co_await send_to_https(*plain, std::move(buffer));
    co_return;
  }
  const auto secure = std::make_shared<Secure>(*plain, *hall->tls);
  plain->expires_after(kHandshakeWithin);
  const auto used =
      co_await secure->async_handshake(asio::ssl::stream_base::server, buffer.data(), into(failed));
  if (failed) co_return;
  buffer.consume(used);
  auto upgrade = co_await converse(hall, secure, *visit, std::move(buffer), peer, true);
  if (upgrade) co_await be_web_socket(secure, std::move(upgrade));
}

}  // namespace lightship::portal
