// Wires it.
#include "portal/diagnosis.h"

#include "portal/api/logs.h"
#include "portal/api/metrics.h"

namespace lightship::portal {

Diagnosis::Diagnosis(Context& context, Field& field, OpenPing ping, std::function<OurUses()> uses,
                     std::function<std::string()> prometheus, std::function<ConfigKeys()> known)
    : context_(context),
      meter_(context.clock, field, disk_, context.data_dir),
      history_(context.clock, field, context.data_dir),
      desk_(context, field, disk_, std::move(ping), std::move(uses)),
      bundle_{context, field, disk_, desk_.bench, std::move(prometheus), std::move(known)} {}

void Diagnosis::add_routes(Router& router) {
  add_metrics(router, meter_);
  add_logs(router, context_.logbook.ring(), context_.clock, disk_);
  add_history(router, history_);
  add_diag(router, desk_);
  add_tools(router, desk_);
  add_bundle(router, bundle_);
}

void Diagnosis::add_topics(LiveHub& live) {
  add_metrics_topic(live, meter_);
  add_logs_topic(live, context_.logbook.ring());
}

Task<void> Diagnosis::run() {
  // When the portal ends nobody waits for a long question to the history.
  struct Closing {
    HistoryDesk& desk;
    ~Closing() { desk.close(); }
  } const closing{history_};
  co_await meter_.run();
}

}  // namespace lightship::portal
