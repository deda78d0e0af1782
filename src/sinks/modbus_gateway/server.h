// The gateway while it runs: listens, serves, and tells how it goes.
#pragma once

#include <memory>
#include <vector>

#include "core/part.h"
#include "sinks/modbus_gateway/clients.h"
#include "sinks/modbus_gateway/config.h"

namespace lightship::gateway {

class Server final : public Runner {
 public:
  Server(Context& context, GatewayConfig config, const std::vector<Exposed>& exposed);
  ~Server() override;

  Task<Error> run() override;
  void describe_status(JsonWriter& json) const override;
  void look(View& view, ServiceView& me) const override;

  std::uint16_t port() const { return port_; }  // where it listens; 0 while it does not
  const Clients* clients() const { return clients_.get(); }

 private:
  Task<Error> serve();
  Task<void> tick(Heartbeat& heartbeat);

  Context& context_;
  GatewayConfig config_;
  Log log_;
  Tally tally_;
  Units units_;
  Answerer answerer_;
  std::unique_ptr<Clients> clients_;
  std::uint16_t port_ = 0;
  std::size_t exposed_ = 0;
};

}  // namespace lightship::gateway
