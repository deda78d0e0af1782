// The clients of the gateway: an epoll of its own, served in rounds.
//
// One recv takes all the requests that have come, one send carries all their answers, and both use
// buffers that all clients share; a client has memory of its own only for a torn request or for
// answers it does not take. No coroutine runs per client: the loop waits for the epoll itself, so a
// busy round costs two system calls a client. (perf: 94 % of the time is the kernel's, two thirds
// of it in send.)
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "link/sockets.h"
#include "sinks/modbus_gateway/answer.h"
#include "sinks/modbus_gateway/session.h"

namespace lightship::gateway {

class Clients {
 public:
  // A client that takes nothing for so long is closed.
  static constexpr auto kPatience = std::chrono::seconds(30);
  // Requests of one recv: about 340. With Answerer::kMostBytes the most that one client can make us
  // keep.
  static constexpr std::size_t kRead = 4096;

  struct Door {
    std::vector<AddressBlock> allowed;
    std::size_t most = 2000;
  };

  // Takes the listening socket.
  Clients(Context& context, Log& log, Door door, Answerer& answerer, Tally& tally, TaskGroup& tasks,
          int listener);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  int ready_fd() const { return epoll_.fd(); }  // readable when there is something to serve
  Result<void> serve_ready();                   // what is ready now
  void tick();                                  // once a second: those that take nothing

  std::size_t count() const { return sessions_.size(); }
  std::size_t most_at_once() const { return most_at_once_; }
  const std::map<std::string, std::uint64_t>& refused_addresses() const { return refused_; }
  const Forwarder& forwarder() const { return forwarder_; }

 private:
  friend struct Session;
  enum class Sent { all, some, failed };

  Result<void> welcome();
  void admit(int fd, const boost::asio::ip::address& peer);
  void note_refused(const boost::asio::ip::address& peer);
  void listen(bool on);

  void serve(Session& session, std::uint32_t events);
  void read(Session& session, std::uint32_t events);
  void proceed(Session& session, Bytes stream);  // what stands in answers_ goes out first
  void resume(Session& session);
  Sent flush(Session& session);
  void push_unsent(Session& session);
  void wait_for(Session& session, Session::State state, ByteVector kept);
  bool watch(Session& session, bool is_new = false);
  void drop(Session& session);

  Context& context_;
  Log& log_;
  Door door_;
  Answerer& answerer_;
  Tally& tally_;
  Forwarder forwarder_;
  link::Socket listener_;
  link::Socket epoll_;
  bool listening_ = true;
  MonoTime now_{};
  std::list<Session> sessions_;
  std::size_t most_at_once_ = 0;
  std::map<std::string, std::uint64_t> refused_;
  ByteVector input_;    // shared: what one recv brought
  ByteVector answers_;  // shared: what one send will carry
};

}  // namespace lightship::gateway
