// One thread for each name that is looked up, and an eventfd to say that it is done.
#include "link/resolve.h"

#include <atomic>
#include <cstring>
#include <memory>

#include <netdb.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "link/fd_line.h"

namespace lightship::link {
namespace {

// A name server that is silent keeps a look-up for half a minute; a site with every device behind
// such a name must not collect threads without end.
constexpr int kMostLookups = 16;
std::atomic<int> lookups_running{0};

// getaddrinfo and the modules of nsswitch.conf are content with far less than the usual 8 MiB.
constexpr std::size_t kLookupStack = 256 * 1024;

struct Lookup {
  explicit Lookup(std::string name)
      : host(std::move(name)), done(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Lookup() { ::close(done); }

  std::string host;
  std::vector<asio::ip::address> addresses;
  int error = 0;
  std::atomic<bool> finished{false};
  int done;  // readable when the above is final
};

asio::ip::address to_address(const sockaddr* from) {
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, from, sizeof v6);
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

void look_up(Lookup& lookup) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  lookup.error = ::getaddrinfo(lookup.host.c_str(), nullptr, &hints, &found);
  for (auto* at = found; at; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    auto address = to_address(at->ai_addr);
    if (std::ranges::find(lookup.addresses, address) == lookup.addresses.end())
      lookup.addresses.push_back(std::move(address));
  }
  if (found) ::freeaddrinfo(found);
}

void* run_lookup(void* argument) {
  const std::unique_ptr<std::shared_ptr<Lookup>> lookup(
      static_cast<std::shared_ptr<Lookup>*>(argument));
  look_up(**lookup);
  (*lookup)->finished.store(true, std::memory_order_release);
  lookups_running.fetch_sub(1);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write((*lookup)->done, &one, sizeof one);
  return nullptr;
}

Result<void> start(const std::shared_ptr<Lookup>& lookup) {
  if (lookup->done < 0) return fail(Errc::unavailable, "no eventfd: {}", std::strerror(errno));
  if (lookups_running.fetch_add(1) >= kMostLookups) {
    lookups_running.fetch_sub(1);
    return fail(Errc::unavailable,
                "{} names are being looked up already; is the name server silent?", kMostLookups);
  }
  auto argument = std::make_unique<std::shared_ptr<Lookup>>(lookup);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  ::pthread_attr_setstacksize(&attributes, kLookupStack);
  pthread_t thread{};
  const int refused = ::pthread_create(&thread, &attributes, run_lookup, argument.get());
  ::pthread_attr_destroy(&attributes);
  if (refused != 0) {
    lookups_running.fetch_sub(1);
    return fail(Errc::unavailable, "no thread for the look-up: {}", std::strerror(refused));
  }
  argument.release();  // NOLINT: the thread owns it now
  return {};
}

}  // namespace

Task<Result<std::vector<asio::ip::address>>> resolve(std::string host, MonoTime until) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return std::vector{literal};
  if (host.empty()) co_return fail(Errc::invalid, "no host is named");

  auto lookup = std::make_shared<Lookup>(host);
  if (auto started = start(lookup); !started) co_return fail(std::move(started.error()));
  SystemClock clock;
  FdLine done(co_await asio::this_coro::executor, clock, ::dup(lookup->done), FdLine::Kind::tty,
              "lookup");
  std::array<std::uint8_t, 8> count;
  auto finished = co_await done.read_some(count, until);
  if (!finished) co_return fail(Errc::timeout, "the name {} is still being looked up", host);
  if (!lookup->finished.load(std::memory_order_acquire) || lookup->error != 0)
    co_return fail(
        Error{Errc::unavailable,
              fmt::format("the name {} has no address: {}", host, ::gai_strerror(lookup->error)),
              lookup->error});
  if (lookup->addresses.empty())
    co_return fail(Errc::unavailable, "the name {} has no address", host);
  co_return std::move(lookup->addresses);
}

std::string with_port(const asio::ip::address& address, std::uint16_t port) {
  return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), port)
                         : fmt::format("{}:{}", address.to_string(), port);
}

}  // namespace lightship::link
