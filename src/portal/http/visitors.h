// Who is connected: bounded, and the idle make room for the new.
//
// A connection that waits for its next request may be closed at any time (RFC 9112, 9.5); so when
// all places are taken, the one that has been idle longest goes, of the address that holds most.
// Connections that became WebSockets have places of their own. Portal loop only.
#pragma once

#include <functional>
#include <list>

#include <boost/asio/ip/address.hpp>

#include "base/clock.h"

namespace lightship::portal {

class Visitors {
 public:
  struct Limits {
    std::size_t connections = 512;
    std::size_t web_sockets = 2048;
  };

  // One connection's place, until it is dropped.
  class Visit {
   public:
    Visit(Visit&&) = delete;
    ~Visit();
    void busy(bool now);  // a request is being answered
    // The connection becomes a WebSocket. False: there is no place for one more.
    bool become_web_socket();

   private:
    friend class Visitors;
    Visit(Visitors& house, asio::ip::address peer, std::function<void()> drop);
    Visitors& house_;
    asio::ip::address peer_;
    std::function<void()> drop_;
    MonoTime idle_since_;
    bool busy_ = false, web_socket_ = false, dropped_ = false;
  };

  explicit Visitors(Limits limits) : limits_(limits) {}

  // A place; `drop` closes the connection at once and may be called by any later `admit`. Nothing:
  // all are at work.
  std::unique_ptr<Visit> admit(asio::ip::address peer, std::function<void()> drop);
  void drop_all();
  void drop_requests();  // all but the WebSockets

  std::size_t connections() const { return all_.size() - web_sockets_; }
  std::size_t web_sockets() const { return web_sockets_; }
  std::uint64_t turned_away() const { return turned_away_; }
  std::uint64_t evicted() const { return evicted_; }

 private:
  bool make_room();

  Limits limits_;
  std::list<Visit*> all_;
  std::size_t web_sockets_ = 0;
  std::uint64_t turned_away_ = 0, evicted_ = 0;
};

}  // namespace lightship::portal
