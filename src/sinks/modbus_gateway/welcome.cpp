// Takes new clients in, or not.
#include <cerrno>

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <boost/asio/ip/tcp.hpp>

#include "sinks/modbus_gateway/clients.h"

namespace lightship::gateway {
namespace {

// New clients of one round; the others wait in the backlog.
constexpr int kAtOnce = 64;
// Different refused addresses that the status page names.
constexpr std::size_t kRefusedNames = 16;

// A peer that is switched off is noticed after a minute and a half.
void prepare(int fd) {
  const auto set = [fd](int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

bool lacks_descriptors(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

}  // namespace

Result<void> Clients::welcome() {
  for (int i = 0; i < kAtOnce; ++i) {
    asio::ip::tcp::endpoint peer;
    socklen_t size = static_cast<socklen_t>(peer.capacity());
    const int fd = ::accept4(listener_.fd(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      peer.resize(size);
      admit(fd, without_mapping(peer.address()));
      continue;
    }
    if (errno == EAGAIN) return {};
    if (lacks_descriptors(errno)) {
      // It would be ready again at once and for ever; the next tick tries anew.
      ++tally_.no_descriptors;
      log_.warn("cannot take a client", field("why", link::in_words(errno)),
                field("clients", count()));
      listen(false);
      return {};
    }
    if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) {
      return fail(Errc::unavailable, "the listening socket is broken: {}", link::in_words(errno));
    }
    // Others (ECONNABORTED, EPROTO, ENETDOWN ...) belong to the connection that was not made.
  }
  return {};
}

void Clients::admit(int fd, const boost::asio::ip::address& peer) {
  link::Socket socket(fd);
  if (!allows(door_.allowed, peer)) {
    ++tally_.not_allowed;
    return note_refused(peer);
  }
  if (sessions_.size() >= door_.most) {
    ++tally_.too_many;
    log_.warn("too many clients, refused one", field("peer", peer.to_string()),
              field("max_clients", door_.most));
    return;
  }
  prepare(fd);
  auto& session = sessions_.emplace_back(*this, socket.release(), peer);
  session.self = std::prev(sessions_.end());
  if (!watch(session, true)) {
    ++tally_.no_descriptors;
    sessions_.pop_back();
    return;
  }
  ++tally_.accepted;
  most_at_once_ = std::max(most_at_once_, sessions_.size());
}

void Clients::note_refused(const boost::asio::ip::address& peer) {
  const std::string name = peer.to_string();
  log_.warn("refused a client outside allow_from", field("peer", name));
  if (refused_.size() < kRefusedNames || refused_.contains(name)) ++refused_[name];
}

}  // namespace lightship::gateway
