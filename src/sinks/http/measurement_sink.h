// Measurements over HTTP: the devices of one category, each at its own interval, to one endpoint.
#pragma once

#include <memory>

#include "core/feeds.h"
#include "core/part.h"
#include "sinks/http/courier.h"
#include "store/outbox_file.h"

namespace lightship::http {

class MeasurementSink final : public Runner {
 public:
  MeasurementSink(Context& context, const std::string& category, MeasurementEndpoint endpoint,
                  const config::OutboxSettings& outbox);

  Task<Error> run() override;
  Task<void> drain(Duration limit) override;
  void nudge() override;
  void removed() override { courier_.removed(); }
  void describe_status(JsonWriter& json) const override;
  void look(View&, ServiceView& me) const override { courier_.look(me); }

 private:
  Task<void> watch();  // the bus, for first news and changes
  Task<void> make();   // messages, at their times
  void queue(DeviceId device, Duration interval);

  Context& context_;
  std::string category_;
  MeasurementEndpoint endpoint_;
  Log log_;
  std::shared_ptr<OutboxFile> outbox_;
  std::shared_ptr<OutboxQueue> queue_;
  Feeds feeds_;
  Courier courier_;
  asio::steady_timer making_;  // woken when something is due
  std::unique_ptr<Heartbeat> heart_;
  bool stale_ = true, stopping_ = false;
  Counter& made_;
};

}  // namespace lightship::http
