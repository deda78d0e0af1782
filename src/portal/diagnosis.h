// The portal's part that looks at machine and program: figures, log, history, tools, the bundle.
#pragma once

#include "portal/api/bundle.h"
#include "portal/api/diag.h"
#include "portal/api/history.h"
#include "portal/diag/meter.h"

namespace lightship::portal {

class LiveHub;

class Diagnosis {
 public:
  Diagnosis(Context& context, Field& field, OpenPing ping, std::function<OurUses()> uses,
            std::function<std::string()> prometheus, std::function<ConfigKeys()> known);

  void add_routes(Router& router);
  void add_topics(LiveHub& live);
  Task<void> run();  // measures; until cancelled

 private:
  Context& context_;
  // What asks the system. Apart from everything else, so that a history that is read for long, or a
  // disk that hangs, delays nothing but itself.
  Worker disk_;
  Meter meter_;
  HistoryDesk history_;
  DiagDesk desk_;
  BundleDesk bundle_;
};

}  // namespace lightship::portal
