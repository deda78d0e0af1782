// Requests per second of the Modbus TCP gateway and of an epoll server made of libmodbus, under the
// same load.
//
// Each server is a process of its own; they are loaded in turn by the same client, several rounds
// each way, and the medians are compared. The peer is tests/peers/modbus/libmodbus_server.c in both
// of its ways to receive: `modbus_receive`, as the library is made to be used, and its own recv for
// all requests that are there (libmodbus then only answers), which is as fast as libmodbus can be.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/log.h"
#include "core/context.h"
#include "modbus_load.h"
#include "sinks/modbus_gateway/server.h"

extern "C" int libmodbus_server_main(int argc, char** argv);  // main of libmodbus_server.c

namespace lightship::bench {
namespace {

constexpr int kRounds = 9;
constexpr int kServerCpu = 1, kClientCpu = 0;

void run_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sysconf(_SC_NPROCESSORS_ONLN) > 1) ::sched_setaffinity(0, sizeof set, &set);
}

// The gateway alone: a cache with 300 registers and no poller. Says its port on `out`.
void run_gateway(int out) {
  asio::io_context loop(1);
  SystemClock clock;
  Logbook book(clock, stderr, Logbook::Form::text, Level::error);
  Catalog catalog;
  Cache cache(catalog);
  Bus bus(loop.get_executor(), cache);
  Metrics metrics;
  Progress progress(clock);
  Owners owners;
  Worker files;
  std::map<std::string, std::shared_ptr<void>> heirlooms;
  Context context{
      loop.get_executor(), clock, book, catalog, cache, bus, metrics, progress, owners, files,
      heirlooms,           {},    {},   {}};

  const auto device =
      catalog.device({.connection = "line", .client = "meter", .exposed = true, .gateway_unit = 1});
  constexpr std::uint16_t kSize = 300;
  ByteVector data;
  for (unsigned i = 0; i < kSize; ++i)
    put_u16(data, static_cast<std::uint16_t>(0x1000 + 0x0101 * i));
  cache.image(device).declare({{Space::holding, 0, kSize}});
  cache.image(device).store(Space::holding, 0, kSize, data, clock.mono());

  gateway::GatewayConfig config;
  config.port = 0;
  config.cache_ttl = std::chrono::hours(24);
  gateway::Server server(context, config, {{"line/meter", 1, std::nullopt}});
  asio::co_spawn(loop, server.run(), [](std::exception_ptr, const Error& why) {
    std::fprintf(stderr, "the gateway ended: %s\n", why.text.c_str());
  });
  while (server.port() == 0) loop.run_one();
  ::dprintf(out, "{\"ready\":true,\"port\":%d}\n", server.port());
  loop.run();
}

void run_peer(const char* receive, int out) {
  ::dup2(out, STDOUT_FILENO);
  std::array<std::string, 4> words{"libmodbus_server", "tcp", "--receive", receive};
  std::array<char*, 5> argv{words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                            nullptr};
  std::_Exit(libmodbus_server_main(4, argv.data()));
}

class Process {
 public:
  explicit Process(const std::function<void(int out)>& main) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(pipe[0]);
      run_on(kServerCpu);
      main(pipe[1]);
      std::_Exit(0);
    }
    ::close(pipe[1]);
    std::array<char, 128> line{};
    const auto count = ::read(pipe[0], line.data(), line.size() - 1);
    const char* port = count > 0 ? std::strstr(line.data(), "\"port\":") : nullptr;
    if (port != nullptr)
      port_ = static_cast<std::uint16_t>(std::atoi(port + std::strlen("\"port\":")));
    ::close(pipe[0]);
  }
  ~Process() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  std::uint16_t port() const { return port_; }
  double cpu_seconds() const {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
    return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
  }

 private:
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

struct Series {
  std::vector<double> rounds;
  std::uint64_t errors = 0;
  std::string trouble;
  double cpu = 0, answers = 0;

  void add(const Process& server, const Load& load) {
    const double before = server.cpu_seconds();
    const Measured one = load_server(server.port(), load);
    cpu += server.cpu_seconds() - before;
    answers += static_cast<double>(one.answers);
    rounds.push_back(one.per_second);
    errors += one.errors;
    if (trouble.empty()) trouble = one.trouble;
  }
  double cpu_us() const { return answers > 0 ? 1e6 * cpu / answers : 0; }
  double median() {
    std::ranges::sort(rounds);
    return rounds[rounds.size() / 2];
  }
};

void compare(const char* receive, const Load& load) {
  const Process ours([](int out) { run_gateway(out); });
  const Process peer([&](int out) { run_peer(receive, out); });
  Series we, they;
  for (int round = 0; round < kRounds; ++round) {
    we.add(ours, load);
    they.add(peer, load);
  }
  const double a = we.median(), b = they.median();
  const bool fair = they.errors == 0 && b > 0;
  fmt::print(
      "{{\"name\":\"Modbus gateway, {} clients, {} in flight, peer libmodbus "
      "({})\",\"ours\":{:.0f},\"peer\":{},"
      "\"ratio\":{},\"unit\":\"requests/"
      "s\",\"higher_is_better\":true,\"errors\":{},\"peer_errors\":{},"
      "\"trouble\":\"{}\",\"peer_trouble\":\"{}\",\"cpu_us_per_request\":{:.2f},\"peer_cpu_us_per_"
      "request\":{:.2f},\"rounds\":[{:.0f}],\"peer_rounds\":[{:.0f}]}}\n",
      load.connections, load.in_flight,
      std::string_view(receive) == "library" ? "modbus_receive" : "own recv", a,
      fair ? fmt::format("{:.0f}", b) : "null", fair ? fmt::format("{:.2f}", a / b) : "null",
      we.errors, they.errors, we.trouble, they.trouble, we.cpu_us(), they.cpu_us(),
      fmt::join(we.rounds, ","), fmt::join(they.rounds, ","));
  std::fflush(stdout);
}

}  // namespace
}  // namespace lightship::bench

int main() {
  using lightship::bench::Load;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::signal(SIGPIPE, SIG_IGN);
  lightship::bench::run_on(lightship::bench::kClientCpu);
  for (const char* receive : {"library", "own"}) {
    for (const Load load : {Load{100, 1}, Load{100, 8}, Load{1000, 1}})
      lightship::bench::compare(receive, load);
  }
}
