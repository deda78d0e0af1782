// One unit that was found, and what it says it is.
#pragma once

#include "sources/modbus/meters.h"
#include "sources/modbus/unit_scan.h"

namespace lightship::cli {

struct ScannedUnit {
  struct Candidate {
    std::string meter_model, name, certainty, evidence;
  };
  poller::UnitFound found;
  std::vector<modbus::Identification::Object> objects;  // function 43/14
  std::string server_id;                                // function 17, its printable part
  std::string describes;                                // of the SunSpec common model and such
  std::vector<Candidate> candidates;                    // the best first

  // "Acme PM1 1.2", from whatever it said; empty when it said nothing.
  std::string says() const;
};

// Asks the unit, by reads alone. Errors: the line is gone.
Task<Result<ScannedUnit>> identify_unit(poller::Talker& line, poller::UnitFound found,
                                        Duration patience, const poller::Meters& meters);

}  // namespace lightship::cli
