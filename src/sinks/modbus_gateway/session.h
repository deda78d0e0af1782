// One client of the gateway: its socket and what it is in the middle of. Idle, it is this struct
// and no buffer.
#pragma once

#include <list>

#include <unistd.h>
#include <boost/asio/ip/address.hpp>

#include "sinks/modbus_gateway/forward.h"

namespace lightship::gateway {

class Clients;

struct Session final : Asker {
  Session(Clients& owner, int descriptor, boost::asio::ip::address from)
      : clients(owner), fd(descriptor), peer(std::move(from)) {}
  ~Session() override { ::close(fd); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::string name() const override { return "modbus gateway, " + peer.to_string(); }
  void answered(const Result<ByteVector>& said) override;  // in clients.cpp

  enum class State : std::uint8_t {
    reading,  // waits for requests
    stuck,    // has answers that the client does not take; no request is read
    asking,   // waits for a device
  };

  Clients& clients;
  int fd;
  State state = State::reading;
  boost::asio::ip::address peer;
  ByteVector kept;    // requests not answered yet: a torn one, or those behind what is waited for
  ByteVector unsent;  // answers the client has not taken
  MonoTime took{};    // when it last took some
  Ask ask;
  std::list<Session>::iterator self;
};

}  // namespace lightship::gateway
