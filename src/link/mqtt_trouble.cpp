// A second look at a connection that failed, with OpenSSL in our own hands.
#include "link/mqtt_trouble.h"

#include <openssl/x509v3.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "link/resolve.h"
#include "link/sockets.h"
#include "link/tcp.h"

namespace lightship::link {
namespace {

namespace ssl = asio::ssl;
using asio::ip::tcp;

// A broker that wants a certificate of ours says so after a TLS 1.3 handshake has succeeded.
constexpr std::chrono::milliseconds kAlertWait{500};

std::string host_of(const MqttSettings& settings) {
  const auto& host = settings.host;
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

std::string subject(X509* certificate) {
  char text[256] = "";
  X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
  return text;
}

// "broker.example, 192.0.2.1": whom the certificate was made for.
std::string names_in(X509* certificate) {
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all); ++i) {
    const auto* name = sk_GENERAL_NAME_value(all, i);
    if (name->type == GEN_DNS)
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                         static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
      const auto* ip = ASN1_STRING_get0_data(name->d.iPAddress);
      names.push_back(fmt::format("{}.{}.{}.{}", ip[0], ip[1], ip[2], ip[3]));
    }
  }
  GENERAL_NAMES_free(all);
  return names.empty() ? subject(certificate) : join(names, ", ");
}

Result<void> load(ssl::context& context, const MqttSettings& settings) {
  boost::system::error_code wrong;
  if (!settings.ca_file.empty()) {
    context.load_verify_file(settings.ca_file, wrong);
    if (wrong) return fail(Errc::unavailable, "ca_file {}: {}", settings.ca_file, wrong.message());
  } else {
    context.set_default_verify_paths(wrong);
  }
  if (settings.cert_file.empty()) return {};
  context.use_certificate_chain_file(settings.cert_file, wrong);
  if (wrong)
    return fail(Errc::unavailable, "cert_file {}: {}", settings.cert_file, wrong.message());
  const auto& key = settings.key_file.empty() ? settings.cert_file : settings.key_file;
  context.use_private_key_file(key, ssl::context::pem, wrong);
  if (wrong) return fail(Errc::unavailable, "key_file {}: {}", key, wrong.message());
  return {};
}

struct Handshake {
  ssl::context context{ssl::context::tls_client};
  std::optional<ssl::stream<tcp::socket>> stream;  // made when the context is loaded
  std::string complaint;                           // about the certificate
};

// Remembers the first complaint; its text is better than "certificate verify failed".
void listen_to_verification(Handshake& shake, const MqttSettings& settings) {
  if (!settings.tls_verify) return;
  shake.stream->set_verify_mode(ssl::verify_peer);
  shake.stream->set_verify_callback(
      [&shake, host = host_of(settings)](bool fine, ssl::verify_context& verify) {
        auto* store = verify.native_handle();
        auto* certificate = X509_STORE_CTX_get_current_cert(store);
        if (!fine && shake.complaint.empty())
          shake.complaint =
              fmt::format("{} ({})", X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)),
                          certificate ? subject(certificate) : "no certificate");
        if (!fine || X509_STORE_CTX_get_error_depth(store) > 0) return fine;
        if (ssl::host_name_verification(host)(fine, verify)) return true;
        shake.complaint =
            fmt::format("the certificate is for {}, not for {}", names_in(certificate), host);
        return false;
      });
}

// The text of what is wrong with the TLS, empty when nothing is. `shake` and its alarm belong to
// the caller.
Task<std::string> shake_hands(Handshake& shake, asio::ip::address address, std::uint16_t port) {
  boost::system::error_code wrong;
  auto& socket = shake.stream->next_layer();
  co_await socket.async_connect({address, port}, asio::redirect_error(asio::use_awaitable, wrong));
  if (wrong) co_return wrong.message();
  co_await shake.stream->async_handshake(ssl::stream_base::client,
                                         asio::redirect_error(asio::use_awaitable, wrong));
  if (wrong) co_return shake.complaint.empty() ? wrong.message() : shake.complaint;

  char byte = 0;
  co_await shake.stream->async_read_some(asio::buffer(&byte, 1),
                                         asio::redirect_error(asio::use_awaitable, wrong));
  const bool alert =
      wrong.category() == asio::error::get_ssl_category() && wrong != ssl::error::stream_truncated;
  co_return alert ? wrong.message() : "";
}

Task<std::string> tls_trouble(MqttSettings settings, asio::ip::address address, MonoTime until) {
  const auto executor = co_await asio::this_coro::executor;
  const auto shake = std::make_shared<Handshake>();
  if (auto loaded = load(shake->context, settings); !loaded) co_return loaded.error().text;
  shake->stream.emplace(executor, shake->context);
  SSL_set_tlsext_host_name(shake->stream->native_handle(), host_of(settings).c_str());
  listen_to_verification(*shake, settings);

  asio::steady_timer alarm(executor, std::min(until, MonoTime(steady_now() + kAlertWait * 4)));
  alarm.async_wait([weak = std::weak_ptr(shake)](boost::system::error_code stopped) {
    boost::system::error_code ignored;
    if (auto still = weak.lock(); still && !stopped) still->stream->next_layer().close(ignored);
  });
  co_return co_await shake_hands(*shake, address, settings.port);
}

}  // namespace

Task<Error> explain_failure(MqttSettings settings, std::string said, MonoTime until) {
  SystemClock clock;
  auto line = co_await dial_tcp(clock, settings.host, settings.port, until - steady_now());
  if (!line) co_return std::move(line.error());
  (*line)->close();

  if (settings.use_tls) {
    auto addresses = co_await resolve(settings.host, until);
    auto trouble =
        addresses ? co_await tls_trouble(settings, addresses->front(), until) : std::string();
    if (!trouble.empty()) co_return Error{Errc::unavailable, std::string(kTlsTrouble) + trouble, 0};
  }
  if (settings.transport == MqttSettings::Transport::websockets)
    co_return Error{Errc::unavailable,
                    fmt::format("{} at path {} ({})", kNoWebSocket, settings.path, said), 0};
  co_return Error{Errc::unavailable, fmt::format("{} before it answered ({})", kHungUp, said), 0};
}

}  // namespace lightship::link
