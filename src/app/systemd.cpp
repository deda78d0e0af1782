// The notify socket. The protocol is one datagram; a library for it would bring five others along.
#include "app/systemd.h"

#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace lightship::app {

Systemd::Systemd() {
  if (const char* named = std::getenv("NOTIFY_SOCKET");
      named != nullptr && (*named == '/' || *named == '@')) {
    address_ = named;
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  if (const char* limit = std::getenv("WATCHDOG_USEC"); limit != nullptr) {
    const char* pid = std::getenv("WATCHDOG_PID");
    const auto usec = std::strtoll(limit, nullptr, 10);
    const bool ours = pid == nullptr || std::strtol(pid, nullptr, 10) == ::getpid();
    if (usec > 0 && ours) watchdog_ = Duration(usec);
  }
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    if (const char* value = std::getenv(name); value != nullptr) taken_[name] = value;
    ::unsetenv(name);
  }
}

void Systemd::put_back() const {
  for (const auto& [name, value] : taken_) ::setenv(name.c_str(), value.c_str(), 1);
}

Systemd::~Systemd() {
  if (socket_ >= 0) ::close(socket_);
}

void Systemd::notify(std::string_view message) {
  if (socket_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address_.size() >= sizeof to.sun_path) return;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  if (address_.front() == '@') to.sun_path[0] = 0;
  (void)::sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&to), length);
}

}  // namespace lightship::app
