// Requests per second of the Modbus TCP gateway and of an epoll server made of libmodbus, under the
// same load.
//
// Each server is a process of its own; they are loaded in turn by the same client, many short
// rounds. Shown are the medians; the ratio is the median of the ratios of neighbouring rounds,
// because the load of a shared machine drifts. The peer is tests/peers/modbus/libmodbus_server.c in
// both of its ways to receive: `modbus_receive`, as the library is made to be used, and its own
// recv for all requests that are there (libmodbus then only answers), which is as fast as libmodbus
// can be.
#include <algorithm>
#include <array>
#include <cmath>
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

#include "base/json_writer.h"
#include "base/log.h"
#include "core/context.h"
#include "modbus_load.h"
#include "sinks/modbus_gateway/server.h"

extern "C" int libmodbus_server_main(int argc, char** argv);  // main of libmodbus_server.c

namespace lightship::bench {
namespace {

constexpr int kRounds = 11;
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
  Alerts alerts(clock);
  ClockWatch clock_watch(clock, clock.now());
  Worker files;
  std::map<std::string, std::shared_ptr<void>> heirlooms;
  Context context{
      loop.get_executor(), clock, book,      catalog, cache, bus, metrics, progress, owners, alerts,
      clock_watch,         files, heirlooms, {},      {},    {}};

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
};

double median(std::vector<double> of) {
  std::ranges::sort(of);
  return of[of.size() / 2];
}

Real rounded(double value) { return {value, 2}; }

// True when we made no error.
bool compare(const char* receive, const Load& load) {
  const Process ours([](int out) { run_gateway(out); });
  const Process peer([&](int out) { run_peer(receive, out); });
  Series we, they;
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    if (round % 2 == 0) we.add(ours, load);
    they.add(peer, load);
    if (round % 2 != 0) we.add(ours, load);
    ratios.push_back(we.rounds.back() / std::max(they.rounds.back(), 1.0));
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("name",
              fmt::format("Modbus gateway, {} clients, {} in flight, peer libmodbus ({})",
                          load.connections, load.in_flight,
                          std::string_view(receive) == "own" ? "own recv" : "modbus_receive"));
  json.member("ours", std::round(median(we.rounds)));
  json.key("peer");
  if (they.errors == 0) {
    json.value(std::round(median(they.rounds))).member("ratio", rounded(median(ratios)));
  } else {
    json.null().key("ratio").null();
  }
  json.member("unit", "requests/s").member("higher_is_better", true);
  for (const auto& [prefix, series] : {std::pair("", &we), std::pair("peer_", &they)}) {
    const auto key = [&](const char* name) { return std::string(prefix) + name; };
    json.member(key("errors"), series->errors).member(key("trouble"), series->trouble);
    json.member(key("cpu_us_per_request"), rounded(series->cpu_us()));
    json.key(key("rounds")).begin_array();
    for (const double round : series->rounds) json.value(std::round(round));
    json.end_array();
  }
  json.end_object();
  fmt::print("{}\n", text);
  std::fflush(stdout);
  return we.errors == 0;
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
  bool well = true;
  for (const char* receive : {"library", "own"}) {
    for (const Load load : {Load{100, 1}, Load{100, 8}, Load{1000, 1}})
      well = lightship::bench::compare(receive, load) && well;
  }
  return well ? 0 : 1;
}
