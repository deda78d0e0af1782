// Alerts over HTTP: those of one category's devices, and of the gateway itself, to one endpoint.
#pragma once

#include <memory>

#include "core/part.h"
#include "sinks/http/courier.h"
#include "store/outbox_file.h"

namespace lightship::http {

class AlertSink final : public Runner {
 public:
  // `categories`: all that have an endpoint for alerts.
  AlertSink(Context& context, const std::string& category, EndpointConfig endpoint,
            std::vector<std::string> categories, const config::OutboxSettings& outbox);

  Task<Error> run() override;
  Task<void> drain(Duration limit) override { return courier_.drain(limit); }
  void nudge() override { courier_.nudge(); }
  void removed() override { courier_.removed(); }
  void describe_status(JsonWriter& json) const override { courier_.describe_status(json); }
  void look(View&, ServiceView& me) const override { courier_.look(me); }

 private:
  Task<void> retry();
  bool take();  // what the board tells since; false: the outbox has no room for it now

  // An alert that is sent later than this after its change is historical.
  static constexpr Duration kLate = std::chrono::seconds(60);
  // What the outbox did not take is offered to it again so often.
  static constexpr Duration kAgain = std::chrono::seconds(1);

  Context& context_;
  std::string category_;
  std::vector<std::string> categories_;
  std::shared_ptr<std::uint64_t> told_;  // changes so far: a reload must not tell them again
  Alerts::Following following_;
  std::shared_ptr<OutboxFile> outbox_;
  std::shared_ptr<OutboxQueue> queue_;
  Courier courier_;
  Alerts::Listening listening_;
  Counter& made_;
};

}  // namespace lightship::http
