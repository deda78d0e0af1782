// Talks to the control socket, one command at a time.
#include "cli/control.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "app/control_address.h"

namespace lightship::cli {
namespace {

constexpr std::size_t kLongestAnswer = 16 << 20;

// The name of an abstract socket may be taken by anybody: whoever answers must be somebody who may
// rule here anyway.
bool is_trusted(int fd) {
  const auto peer = app::control_peer(fd);
  return peer && (peer->uid == 0 || peer->uid == ::geteuid() || ::geteuid() == 0);
}

bool is_trusted(int fd, const std::filesystem::path& config_dir) {
  if (is_trusted(fd)) return true;
  const auto peer = app::control_peer(fd);
  struct stat folder{};
  return peer && ::stat(config_dir.c_str(), &folder) == 0 && folder.st_uid == peer->uid;
}

// The socket of this name, which begins with a NUL; -1 where nobody listens.
int connect_to(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return -1;
  std::memcpy(address.sun_path, name.data(), name.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

Errc code_of(std::string_view name) {
  for (const auto code :
       {Errc::incomplete, Errc::malformed, Errc::crc, Errc::refused, Errc::timeout, Errc::closed,
        Errc::unavailable, Errc::invalid, Errc::cancelled}) {
    if (to_string(code) == name) return code;
  }
  return Errc::unavailable;
}

}  // namespace

std::optional<RunningGateway> RunningGateway::find(const std::filesystem::path& config_dir) {
  RunningGateway gateway(connect_to(app::control_address(config_dir)));
  if (gateway.fd_ < 0) return std::nullopt;
  if (!is_trusted(gateway.fd_, config_dir)) {
    fmt::print(stderr,
               "lightship: another user listens in the gateway's place for {} and is not asked; "
               "where it is the gateway, run the command as its user or as root\n",
               config_dir.string());
    return std::nullopt;
  }
  return gateway;
}

std::vector<RunningGateway> RunningGateway::all() {
  // The kernel lists abstract names with an @ in place of the NUL.
  constexpr std::string_view kName = "@lightship/";
  std::vector<RunningGateway> found;
  std::ifstream list("/proc/net/unix");
  std::set<std::string> names;
  for (std::string line; std::getline(list, line) && names.size() < 256;) {
    const auto at = line.find(kName);
    if (at != std::string::npos) names.insert('\0' + line.substr(at + 1));
  }
  for (const auto& name : names) {
    RunningGateway gateway(connect_to(name));
    if (gateway.fd_ >= 0 && is_trusted(gateway.fd_)) found.push_back(std::move(gateway));
  }
  return found;
}

RunningGateway::~RunningGateway() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string> RunningGateway::ask(const boost::json::object& command, Duration limit) {
  std::string line = boost::json::serialize(command) + "\n";
  std::string unsent;
  for (std::string_view left = line; !left.empty();) {
    const auto sent = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      // Whoever is turned away is told why all the same.
      unsent = std::strerror(errno);
      break;
    }
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  const auto until = steady_now() + limit;
  std::string answer;
  while (answer.empty() || answer.back() != '\n') {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_now()).count();
    pollfd ready{fd_, POLLIN, 0};
    const int events = left > 0 ? ::poll(&ready, 1, static_cast<int>(left)) : 0;
    if (events < 0 && errno == EINTR) continue;
    if (events <= 0) return fail(Errc::timeout, "the running gateway does not answer");
    char part[16384];
    const auto got = ::recv(fd_, part, sizeof part, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 && !unsent.empty())
      return fail(Errc::closed, "the running gateway hung up before it was asked: {}", unsent);
    if (got <= 0)
      return fail(Errc::closed,
                  "the running gateway ended before it answered: what became of the "
                  "command is in its audit");
    answer.append(part, static_cast<std::size_t>(got));
    if (answer.size() > kLongestAnswer)
      return fail(Errc::malformed, "the running gateway says too much");
  }
  boost::system::error_code wrong;
  const auto parsed = boost::json::parse(answer, wrong);
  const auto* object = wrong ? nullptr : parsed.if_object();
  if (object != nullptr) {
    constexpr std::string_view kHead = R"({"ok":)";
    if (const auto* good = object->if_contains("ok");
        good != nullptr && good->is_object() && answer.starts_with(kHead))
      return answer.substr(kHead.size(), answer.rfind('}') - kHead.size());
    if (const auto* bad = object->if_contains("error"); bad != nullptr && bad->is_object()) {
      const auto& error = bad->get_object();
      const auto* code = error.if_contains("code");
      const auto* detail = error.if_contains("detail");
      const auto* text = error.if_contains("text");
      return fail(Error{
          code_of(code != nullptr && code->is_string() ? std::string_view(code->get_string()) : ""),
          text != nullptr && text->is_string() ? std::string(text->get_string()) : "",
          detail != nullptr && detail->is_int64() ? static_cast<int>(detail->get_int64()) : 0});
    }
  }
  return fail(Errc::malformed, "the running gateway gave no answer that is one");
}

}  // namespace lightship::cli
