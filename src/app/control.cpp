// Takes commands from the control socket.
#include "app/control.h"

#include <chrono>

#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "app/control_line.h"
#include "base/text.h"

namespace lightship::app {

using namespace std::chrono_literals;

namespace {

constexpr int kBacklog = 64;
// A client that says nothing, or takes no answer, is closed after this.
constexpr auto kPatience = 30s;
// A socket that another gateway holds is asked for again so often.
constexpr Duration kTakeAgain = 5s;

bool may_command(const std::optional<ControlPeer>& peer) {
  return peer && (peer->uid == ::geteuid() || peer->uid == 0);
}

// One line, as far as it goes without waiting, and the connection is over.
void turn_away(asio::local::stream_protocol::socket socket, const Error& error) {
  const auto line = error_line(error) + '\n';
  (void)::send(socket.native_handle(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Control::Control(Context& context) : context_(context), log_(context.logbook, "control") {}

Task<void> Control::serve(std::filesystem::path config_dir) {
  asio::local::stream_protocol::acceptor acceptor(context_.executor);
  const asio::local::stream_protocol::endpoint address(control_address(config_dir));
  boost::system::error_code failed;
  for (bool warned = false;; warned = true) {
    acceptor.open(address.protocol(), failed);
    if (!failed) acceptor.bind(address, failed);
    if (!failed) acceptor.listen(kBacklog, failed);
    if (!failed) {
      if (warned) log_.info("the control socket is ours now");
      break;
    }
    if (!warned) {
      log_.warn("no control socket: commands will not find this gateway; it is tried again",
                field("config", config_dir.string()),
                field("why", failed == asio::error::address_in_use
                                 ? "another gateway runs with the same configuration directory"
                                 : failed.message()),
                field("every", for_people(kTakeAgain)));
    }
    boost::system::error_code ignored;
    acceptor.close(ignored);
    co_await context_.clock.sleep_for(kTakeAgain);
  }
  TaskGroup clients(context_.executor);
  std::exception_ptr stopped;
  try {
    for (;;) {
      Socket socket(context_.executor);
      co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, failed));
      if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);
      if (failed) {
        log_.warn("cannot take a command", field("why", failed.message()));
        co_await context_.clock.sleep_for(1s);
        continue;
      }
      // Strangers take no place: they are told at once, whatever they want to say.
      const auto peer = control_peer(socket.native_handle());
      if (!may_command(peer)) {
        turn_away(std::move(socket),
                  {Errc::unavailable,
                   fmt::format("this gateway belongs to user {}: run the command as that user or "
                               "as root",
                               ::geteuid()),
                   EACCES});
      } else if (clients.running() >= kMostClients) {
        turn_away(std::move(socket),
                  {Errc::unavailable,
                   fmt::format("the gateway is busy: {} commands are connected already, which is "
                               "the most; try again when one has ended",
                               kMostClients),
                   EBUSY});
      } else {
        clients.spawn(talk(std::move(socket), *peer));
      }
    }
  } catch (...) {
    stopped = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  clients.cancel();
  co_await clients.join();
  std::rethrow_exception(stopped);
}

Task<void> Control::talk(Socket socket, ControlPeer peer) {
  asio::steady_timer patience(context_.executor);
  const auto close_after = [&](std::chrono::seconds limit) {
    patience.expires_after(limit);
    patience.async_wait([&socket](boost::system::error_code cancelled) {
      boost::system::error_code ignored;
      if (!cancelled) socket.shutdown(Socket::shutdown_both, ignored);
    });
  };
  boost::system::error_code failed;
  std::string heard;
  while (!failed) {
    close_after(kPatience);
    const auto size =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(heard, kLongestLine), '\n',
                                        asio::redirect_error(asio::use_awaitable, failed));
    if (failed) break;
    std::string line = heard.substr(0, size);
    heard.erase(0, size);
    patience.cancel();
    std::string said = co_await answer(std::move(line), peer);
    said += '\n';
    close_after(kPatience);
    co_await asio::async_write(socket, asio::buffer(said),
                               asio::redirect_error(asio::use_awaitable, failed));
  }
  patience.cancel();
}

Task<std::string> Control::answer(std::string line, ControlPeer peer) {
  auto command = control_line(line);
  if (!command) co_return error_line(command.error());
  const auto& name = command->command;
  const auto handler = handlers_.find(name);
  if (handler == handlers_.end()) {
    std::vector<std::string> names;
    for (const auto& [known, unused] : handlers_) names.push_back(known);
    co_return error_line(
        {Errc::invalid, fmt::format("no command '{}'; there are: {}", name, join(names, ", ")), 0});
  }
  log_.debug("command", field("do", name), field("uid", peer.uid), field("pid", peer.pid));
  auto doing = handler->second(std::move(command->request), peer);
  const auto said = co_await std::move(doing);
  if (!said) co_return error_line(said.error());
  co_return "{\"ok\":" + *said + "}";
}

}  // namespace lightship::app
