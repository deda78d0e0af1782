// GET /api/diag/hardware, /network, /time; POST /api/diag/ping, /dns, /port.
//
// They stand on nothing that the gateway needs: no disk, no network, no field loop. What one of
// these could have said is left out where it is not there.
#pragma once

#include "base/worker.h"
#include "portal/api/audit_budget.h"
#include "portal/diag/network.h"
#include "portal/diag/ping.h"
#include "portal/diag/tools.h"
#include "portal/field.h"
#include "portal/router.h"

namespace lightship::portal {

// Which part uses a serial port: as the configuration names it.
struct SerialUse {
  std::string port, part;
};

// What the program says of its configuration. Called on the field loop.
struct OurUses {
  std::vector<Peer> peers;
  std::vector<SerialUse> ports;
};

struct DiagDesk {
  DiagDesk(Context& context, Field& field_, Worker& disk_, OpenPing ping_,
           std::function<OurUses()> uses_)
      : clock(context.clock),
        field(field_),
        disk(disk_),
        log(context.logbook, "portal"),
        ping(std::move(ping_)),
        uses(std::move(uses_)),
        config_dir(context.config_dir),
        data_dir(context.data_dir),
        bench(context.clock) {}

  static constexpr auto kReachLimit = std::chrono::seconds(2);

  // Hardware, Network and ClockState of web/src/api/types.ts.
  Task<std::string> hardware();
  Task<std::string> network();
  Task<std::string> time();

  Clock& clock;
  Field& field;
  Worker& disk;
  Log log;
  OpenPing ping;
  std::function<OurUses()> uses;
  std::filesystem::path config_dir, data_dir;
  ToolBench bench;
  AuditBudget lines{10, std::chrono::minutes(2)};  // of each user and tool
};

void add_diag(Router& router, DiagDesk& desk);
void add_tools(Router& router, DiagDesk& desk);

}  // namespace lightship::portal
