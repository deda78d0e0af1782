// Runs the clients on the loop.
#include "sinks/modbus_gateway/server.h"

#include <cerrno>

#include <fcntl.h>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.h"
#include "link/resolve.h"
#include "sinks/modbus_gateway/listener.h"

namespace lightship::gateway {
namespace {

constexpr auto kLookUp = std::chrono::seconds(10);
constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kAliveWithin = std::chrono::seconds(10);
constexpr std::size_t kOtherDescriptors = 512;  // of the rest of the house
const std::pair<std::string, std::string> kGauges{"sink", "modbus_gateway"};

}  // namespace

Server::Server(Context& context, GatewayConfig config, const std::vector<Exposed>& exposed)
    : context_(context),
      config_(std::move(config)),
      log_(context.logbook, "modbus_gateway"),
      tally_(context.metrics),
      units_(context.catalog, context.cache, exposed, config_),
      answerer_(units_, tally_, config_.pass_through),
      exposed_(exposed.size()) {
  context.metrics.gauge("modbus_gateway_clients", "Modbus TCP connections now", {kGauges},
                        [this] { return clients_ ? static_cast<double>(clients_->count()) : 0.0; });
}

Server::~Server() { context_.metrics.remove_gauges(kGauges); }

Task<Error> Server::run() {
  // Only while it runs: between two runs the supervisor's pause is nobody's failure.
  const auto heartbeat = context_.progress.enroll("modbus_gateway");
  heartbeat->beat(kLookUp + kAliveWithin);
  const auto addresses = co_await link::resolve(config_.host, context_.clock.mono() + kLookUp);
  if (!addresses) co_return addresses.error();
  const auto listener = listen_on(addresses->front(), config_.port);
  if (!listener) co_return listener.error();

  TaskGroup tasks(context_.executor);
  clients_ =
      std::make_unique<Clients>(context_, log_, Clients::Door{config_.allowed, config_.max_clients},
                                answerer_, tally_, tasks, *listener);
  port_ = port_of(*listener);
  log_.info("listening", field("address", link::with_port(addresses->front(), port_)),
            field("devices", exposed_));
  if (allow_descriptors(config_.max_clients + kOtherDescriptors) <
      config_.max_clients + kOtherDescriptors) {
    log_.warn("the limit of open files is below max_clients",
              field("max_clients", config_.max_clients));
  }
  tasks.spawn(tick(*heartbeat));

  Error why;
  std::exception_ptr stopped;
  try {
    why = co_await serve();
  } catch (...) {
    stopped = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  tasks.cancel();
  co_await tasks.join();
  clients_.reset();
  port_ = 0;
  if (stopped) std::rethrow_exception(stopped);
  co_return why;
}

Task<Error> Server::serve() {
  const int second =
      ::fcntl(clients_->ready_fd(), F_DUPFD_CLOEXEC, 0);  // of the same epoll, for Asio to close
  if (second < 0)
    co_return Error{Errc::unavailable, "no file descriptor left for the gateway", errno};
  asio::posix::stream_descriptor ready(context_.executor, second);
  for (;;) {
    co_await ready.async_wait(asio::posix::descriptor_base::wait_read, asio::use_awaitable);
    if (auto served = clients_->serve_ready(); !served) co_return served.error();
  }
}

Task<void> Server::tick(Heartbeat& heartbeat) {
  for (;;) {
    heartbeat.beat(kAliveWithin);
    co_await context_.clock.sleep_for(kTick);
    clients_->tick();
  }
}

void Server::look(View&, ServiceView& me) const {
  me.title = "Modbus TCP gateway";
  me.type = "modbus_gateway";
  me.state = port_ != 0 ? ServiceView::State::good : ServiceView::State::busy;
  me.state_text = port_ != 0 ? "Listening" : "Starting";
  const auto clients = clients_ ? clients_->count() : 0;
  me.detail =
      fmt::format("{}, {}", link::host_with_port(config_.host, port_ != 0 ? port_ : config_.port),
                  counted(clients, "client"));
  if (exposed_ == 0 && config_.map.empty()) {
    me.state = ServiceView::State::warning;
    me.advice = {
        "No device says expose_via_tcp: true, and nothing is mapped: clients get exception "
        "10 or 11 for everything"};
  }
}

void Server::describe_status(JsonWriter& json) const {
  json.member("listening", port_ != 0);
  json.member("address", link::host_with_port(config_.host, port_ != 0 ? port_ : config_.port));
  json.member("devices", exposed_);
  json.member("mapped_points", config_.map.size());
  json.member("clients", clients_ ? clients_->count() : 0);
  json.member("most_clients", clients_ ? clients_->most_at_once() : 0);
  json.member("requests", tally_.requests.value);
  json.key("exceptions").begin_object();
  for (const int code : Tally::kCodes) {
    if (tally_.exceptions(code) > 0) json.member(std::to_string(code), tally_.exceptions(code));
  }
  json.end_object();
  json.key("refused").begin_object();
  json.member("allow_from", tally_.not_allowed.value);
  json.member("max_clients", tally_.too_many.value);
  json.member("descriptors", tally_.no_descriptors.value);
  json.end_object();
  json.key("refused_addresses").begin_object();
  if (clients_) {
    for (const auto& [address, times] : clients_->refused_addresses()) json.member(address, times);
  }
  json.end_object();
  json.member("closed_slow", tally_.slow.value);
  json.member("closed_framing", tally_.lost_framing.value);
  json.member("forwarded", tally_.forwarded.value);
  json.member("waiting_for_devices", clients_ ? clients_->forwarder().waiting() : 0);
}

}  // namespace lightship::gateway
