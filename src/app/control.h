// The control socket: commands of the command line, answered by the running gateway, so that they
// neither disturb it nor fight with it for a serial port.
//
// One JSON object a line, in and out: {"do":"status"} is answered by {"ok":...} or
// {"error":{"code","detail","text"}}. Only the gateway's own user and root are heard; others
// are told so as they connect, and take no place. Connections,
// their number, the length of a line and the time without one are bounded. Field loop only.
#pragma once

#include <functional>
#include <map>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>

#include "app/control_address.h"
#include "core/context.h"

namespace lightship::app {

class Control {
 public:
  static constexpr std::size_t kMostClients = 16;
  static constexpr std::size_t kLongestLine = 64 * 1024;

  // What is to be done, by whom; the answer is the JSON behind "ok".
  using Answer = Task<Result<std::string>>;
  using Handler = std::function<Answer(boost::json::object request, ControlPeer peer)>;

  explicit Control(Context& context);

  void add(std::string command, Handler handler) { handlers_[std::move(command)] = handler; }

  // Listens until cancelled. A directory that another gateway serves already is a warning: this
  // one runs without a socket until it can have it.
  Task<void> serve(std::filesystem::path config_dir);

 private:
  using Socket = asio::local::stream_protocol::socket;
  Task<void> talk(Socket socket, ControlPeer peer);
  Task<std::string> answer(std::string line, ControlPeer peer);

  Context& context_;
  Log log_;
  std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace lightship::app
