// A mosquitto of our own on free ports of the loopback, its certificates, and a listener; for
// tests.
//
// Everything it makes is in one temporary folder and ends with the object; children are stopped by
// pid.
#pragma once

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hex.h"

namespace lightship::link::testing {

inline int listen_on_loopback(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(fd, 64);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

inline std::uint16_t free_port() {
  std::uint16_t port = 0;
  ::close(listen_on_loopback(port));
  return port;
}

// Accepts (the kernel does) and never says a word.
class SilentServer {
 public:
  SilentServer() : fd_(listen_on_loopback(port_)) {}
  ~SilentServer() { ::close(fd_); }
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int fd_;
};

// Takes one client and says its lines in order, the first in answer to CONNECT, the others 200 ms
// later each.
class ScriptedBroker {
 public:
  explicit ScriptedBroker(std::vector<std::string> lines)
      : fd_(listen_on_loopback(port_)),
        thread_([this, lines = std::move(lines)] { play(lines); }) {}
  ~ScriptedBroker() {
    over_ = true;
    thread_.join();
    ::close(fd_);
  }
  std::uint16_t port() const { return port_; }
  std::size_t heard_publishes() const { return publishes_; }

 private:
  void play(const std::vector<std::string>& lines) {
    pollfd waiting{fd_, POLLIN, 0};
    while (!over_ && ::poll(&waiting, 1, 20) == 0) {
    }
    if (over_) return;
    const int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    ByteVector buffer(4096);
    if (::recv(client, buffer.data(), buffer.size(), 0) > 0) {
      for (std::size_t at = 0; at < lines.size() && !over_; ++at) {
        if (at > 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
        const auto bytes = hex(lines[at]);
        (void)::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      }
      listen(client, buffer);
    }
    ::close(client);
  }
  // Counts PUBLISH packets; all of them are short here.
  void listen(int client, ByteVector& buffer) {
    while (!over_) {
      pollfd waiting{client, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const auto count = ::recv(client, buffer.data(), buffer.size(), 0);
      if (count <= 0) return;
      for (std::size_t at = 0; at + 1 < static_cast<std::size_t>(count); at += 2u + buffer[at + 1])
        if (buffer[at] >> 4 == 3) ++publishes_;
    }
  }

  std::uint16_t port_ = 0;
  int fd_;
  std::atomic<bool> over_{false};
  std::atomic<std::size_t> publishes_{0};
  std::thread thread_;
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto name = (std::filesystem::temp_directory_path() / "lightship-mqtt-XXXXXX").string();
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// An authority, a certificate for "localhost" and one for a client.
class Certificates {
 public:
  Certificates() {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
        "'/CN=Test CA {}' -keyout ca.key -out ca.pem",
        ++count());
    make("server", "localhost");
    make("client", "meter");
  }
  std::string ca() const { return folder_ / "ca.pem"; }
  std::string server() const { return folder_ / "server.pem"; }
  std::string server_key() const { return folder_ / "server.key"; }
  std::string client() const { return folder_ / "client.pem"; }
  std::string client_key() const { return folder_ / "client.key"; }

 private:
  static int& count() {
    static int made = 0;
    return made;
  }
  void make(const std::string& name, const std::string& common) {
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={1} -addext "
        "subjectAltName=DNS:{1} -keyout {0}.key -out {0}.csr",
        name, common);
    run("openssl x509 -req -in {0}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
        "-copy_extensions copy -out {0}.pem",
        name);
  }
  template <class... Args>
  void run(fmt::format_string<Args...> format, Args&&... args) {
    const auto command = fmt::format("cd {} && {} >/dev/null 2>&1", folder_ / "",
                                     fmt::format(format, std::forward<Args>(args)...));
    if (std::system(command.c_str()) != 0) std::abort();
  }
  TemporaryFolder folder_;
};

// A child that is stopped with us, and what it prints, line by line.
class Child {
 public:
  explicit Child(std::vector<std::string> command) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) std::abort();
    std::vector<char*> words;
    for (auto& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(pipe[1], 1);
      ::execv(words[0], words.data());
      ::_exit(127);
    }
    ::close(pipe[1]);
    reader_ = std::thread([this, from = pipe[0]] { read(from); });
  }
  ~Child() { stop(); }
  void stop(int with = SIGTERM) {
    if (pid_ <= 0) return;
    ::kill(pid_, with);
    ::kill(pid_, SIGCONT);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    reader_.join();
  }
  void wait() {
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
    reader_.join();
  }
  void signal(int number) { ::kill(pid_, number); }
  bool alive() const { return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0; }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  void read(int from) {
    std::string rest;
    std::array<char, 65536> buffer;
    for (ssize_t count; (count = ::read(from, buffer.data(), buffer.size())) > 0;) {
      rest.append(buffer.data(), static_cast<std::size_t>(count));
      const std::lock_guard lock(mutex_);
      for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1))
        lines_.push_back(rest.substr(0, end));
    }
    ::close(from);
  }
  pid_t pid_ = 0;
  std::thread reader_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Everything published on a topic, as "topic payload".
class Listener {
 public:
  Listener(std::uint16_t port, const std::string& topic)
      : child_({"/usr/bin/mosquitto_sub", "-h", "127.0.0.1", "-p", std::to_string(port), "-v", "-t",
                topic, "-t", "ready", "-q", "1"}) {
    // Subscribed when it hears what we say now.
    for (int i = 0; i < 250 && child_.lines().empty(); ++i) {
      Child({"/usr/bin/mosquitto_pub", "-h", "127.0.0.1", "-p", std::to_string(port), "-t", "ready",
             "-m", "?"})
          .wait();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  std::vector<std::string> lines() const {
    auto lines = child_.lines();
    std::erase_if(lines, [](const std::string& line) { return line.starts_with("ready"); });
    return lines;
  }

 private:
  Child child_;
};

struct MosquittoOptions {
  std::string user{};
  std::string password{};
  bool websockets = false;
  const Certificates* tls = nullptr;
  bool client_certificate = false;
  std::string address = "127.0.0.1";
};

class Mosquitto {
 public:
  using Options = MosquittoOptions;

  explicit Mosquitto(Options options = {}) : options_(std::move(options)) {
    // Another program may take the free port before mosquitto does.
    for (int attempt = 0; attempt < 5 && !running(); ++attempt) {
      port_ = free_port();
      websocket_port_ = free_port();
      write_config();
      start();
    }
  }
  static bool installed() {
    return ::access("/usr/sbin/mosquitto", X_OK) == 0 &&
           ::access("/usr/bin/mosquitto_sub", X_OK) == 0;
  }
  std::uint16_t port() const { return port_; }
  std::uint16_t websocket_port() const { return websocket_port_; }
  bool running() const { return child_ && child_->alive(); }

  void start() {
    child_.emplace(std::vector<std::string>{"/usr/sbin/mosquitto", "-c", folder_ / "conf"});
    for (int i = 0; i < 250 && child_->alive() &&
                    !(answers(port_) && (!options_.websockets || answers(websocket_port_)));
         ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  void freeze() { child_->signal(SIGSTOP); }
  void kill() { child_->stop(SIGKILL); }

  // Returns when it is subscribed. Only for brokers without password and TLS on the first port.
  Listener subscribe(const std::string& topic) const { return Listener(port_, topic); }

 private:
  void write_config() {
    std::ofstream conf(folder_ / "conf");
    conf << "user root\nlog_dest none\npersistence false\nmax_queued_messages 0\n";
    if (!options_.user.empty()) {
      const auto command = fmt::format("mosquitto_passwd -b -c {} {} {} 2>/dev/null",
                                       folder_ / "passwd", options_.user, options_.password);
      if (std::system(command.c_str()) != 0) std::abort();
      conf << "password_file " << folder_ / "passwd" << "\nallow_anonymous false\n";
    } else {
      conf << "allow_anonymous true\n";
    }
    listener(conf, port_);
    if (!options_.websockets) return;
    listener(conf, websocket_port_);
    conf << "protocol websockets\n";
  }
  void listener(std::ofstream& conf, std::uint16_t port) const {
    conf << "listener " << port << ' ' << options_.address << '\n';
    if (!options_.tls) return;
    conf << "cafile " << options_.tls->ca() << "\ncertfile " << options_.tls->server()
         << "\nkeyfile " << options_.tls->server_key() << "\nrequire_certificate "
         << (options_.client_certificate ? "true" : "false") << '\n';
  }
  bool answers(std::uint16_t port) const {
    const bool v6 = options_.address.find(':') != std::string::npos;
    const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int refused = -1;
    if (v6) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      address.sin6_addr = in6addr_loopback;
      refused = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    } else {
      sockaddr_in address{.sin_family = AF_INET,
                          .sin_port = htons(port),
                          .sin_addr = {htonl(INADDR_LOOPBACK)},
                          .sin_zero = {}};
      refused = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ::close(fd);
    return refused == 0;
  }

  Options options_;
  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  std::uint16_t websocket_port_ = 0;
  std::optional<Child> child_;
};

}  // namespace lightship::link::testing
