// How each is started.
#include "cli/demo/children.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/demo/ports.h"

namespace lightship::cli {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto kBrokerPatience = 5s;
constexpr std::size_t kMuchLog = 1 << 20;

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  int from() { return ends[0]; }
  int to() { return ends[1]; }
  int keep_from() { return std::exchange(ends[0], -1); }
  void close_to() { ::close(std::exchange(ends[1], -1)); }
  std::array<int, 2> ends{-1, -1};
};

std::string read_line(int from) {
  std::string line;
  for (char one = 0; ::read(from, &one, 1) == 1 && one != '\n';) line += one;
  return line;
}

int run_site(int tell) {
  sim::Site site;
  const auto where = site.start();
  if (!where) {
    ::dprintf(tell, "%s\n", where.error().text.c_str());
    return 1;
  }
  ::dprintf(tell, "%s %u %u\n", where->line.c_str(), where->panel, where->pump);
  for (;;) ::pause();
}

std::string find_mosquitto() {
  const char* path = std::getenv("PATH");
  std::vector<std::string> folders{"/usr/sbin", "/usr/local/sbin", "/usr/bin"};
  for (const auto folder : split(path != nullptr ? path : "", ':')) folders.emplace_back(folder);
  for (const auto& folder : folders) {
    const auto program = folder + "/mosquitto";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

// Started by root mosquitto becomes its own user, and with that forgets to end with its parent.
constexpr const char* kBrokerConfig = R"(listener {} 127.0.0.1
allow_anonymous true
persistence false
log_dest stderr
{})";

}  // namespace

Result<sim::SiteAddresses> start_site(std::unique_ptr<Child>& child) {
  Pipe pipe;
  child = std::make_unique<Child>("site", SIGKILL, [&pipe] { return run_site(pipe.to()); });
  pipe.close_to();
  const auto said = read_line(pipe.from());
  sim::SiteAddresses where;
  char line[128] = "";
  unsigned panel = 0, pump = 0;
  if (std::sscanf(said.c_str(), "%127s %u %u", line, &panel, &pump) != 3 || panel == 0 || pump == 0)
    return fail(Errc::unavailable, "the simulated site did not start: {}",
                said.empty() ? "it ended without a word" : said);
  return sim::SiteAddresses{line, static_cast<std::uint16_t>(panel),
                            static_cast<std::uint16_t>(pump)};
}

Result<void> start_broker(std::unique_ptr<Child>& child, std::uint16_t port,
                          const fs::path& directory) {
  const auto program = find_mosquitto();
  if (program.empty())
    return fail(Errc::unavailable, "there is no mosquitto here (apt install mosquitto)");
  const auto config = (directory / "mosquitto.conf").string();
  const auto log = directory / "mosquitto.log";
  if (auto written = write_file_atomic(config, fmt::format(fmt::runtime(kBrokerConfig), port,
                                                           ::geteuid() == 0 ? "user root\n" : ""));
      !written)
    return written;

  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  child = std::make_unique<Child>(
      "mosquitto", SIGTERM,
      [&] {
        ::execl(program.c_str(), program.c_str(), "-c", config.c_str(), nullptr);
        return 127;
      },
      output);
  ::close(output);
  for (auto waited = 0ms; !child->ended() && waited < kBrokerPatience; waited += 5ms) {
    if (somebody_listens(port)) return {};
    std::this_thread::sleep_for(5ms);
  }
  const auto said = read_file(log, kMuchLog);
  child.reset();
  return fail(Errc::unavailable, "mosquitto does not listen: {}",
              said ? trim(*said) : std::string_view("it says nothing"));
}

Result<int> start_gateway(std::unique_ptr<Child>& child, app::Options options,
                          const fs::path& log) {
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) return fail(Errc::unavailable, "{}: {}", log.string(), std::strerror(errno));
  Pipe pipe;
  child = std::make_unique<Child>(
      "gateway", SIGTERM,
      [&] {
        options.log_to = stdout;
        options.started = [&pipe](const std::string& portal) {
          ::dprintf(pipe.to(), "portal %s\n", portal.c_str());
        };
        options.first_password = [&pipe](const std::string& user, const std::string& password) {
          ::dprintf(pipe.to(), "login %s %s\n", user.c_str(), password.c_str());
        };
        int status = app::kRestart;
        while (status == app::kRestart) {
          status = app::run(options);
          options.started = nullptr;  // the addresses are what they were
        }
        return status;
      },
      output);
  ::close(output);
  return pipe.keep_from();
}

}  // namespace lightship::cli
