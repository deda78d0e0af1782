// Small things that TCP and UDP share.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>
#include <boost/asio/ip/tcp.hpp>

namespace lightship::link {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

inline boost::asio::ip::tcp::endpoint socket_address(const boost::asio::ip::address& address,
                                                     std::uint16_t port) {
  return {address, port};
}

// "connection refused": as the middle of a sentence.
inline std::string in_words(int error_number) {
  std::string text = std::strerror(error_number);
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a')
    text[0] = static_cast<char>(text[0] + 32);
  return text;
}

// The host as the configuration has it; an IPv6 literal gets its brackets.
inline std::string host_with_port(const std::string& host, std::uint16_t port) {
  const bool bare_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  return bare_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace lightship::link
