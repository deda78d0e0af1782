// Which meter is this? Asked by reading what the meters of the registry say of themselves.
//
// Only reads, and not many: the cheap and certain questions come first (SunSpec's mark, device
// identification 43/14, the fingerprints of the meter files), and only where none of them was
// answered is every known map tried for a plausible phase voltage and frequency. What was read once
// is not read again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "codec/modbus/reply.h"
#include "sources/modbus/meters.h"
#include "sources/modbus/sunspec.h"

namespace lightship::poller {

// Device identification (function 43/14, code 1), of one device.
using AskIdentity = std::function<Task<Result<modbus::Identification>>()>;

struct Asker {
  AskRegisters registers;  // functions 1 to 4
  AskIdentity identity;    // may be empty: then 43/14 is not asked
};

enum class Certainty {
  plausible,  // its numbers would make sense
  likely,     // it says something that fits
  certain,    // it says so
};
std::string_view to_string(Certainty certainty);

struct Candidate {
  std::string meter_model;  // an id of the registry; empty: known by name only
  std::string name;         // "Eastron SDM630", or what the device says of itself
  Certainty certainty = Certainty::plausible;
  std::string evidence;  // "holding 35168: 42 32 33 20, as fingerprint of abb_b23"
  double score = 0;      // among those of one certainty, 0 to 1
};

struct Identified {
  std::vector<Candidate> candidates;  // the best first
  std::string says;  // the texts of 43/14 or the SunSpec common model, where there are
  std::size_t requests = 0;
};

// Bounded by what the registry has: about 12 requests for what a meter says of itself, 60 with the
// voltages; never more than `most_requests`. Errors: silence to the first three requests (timeout),
// unless the device `is_there`, known to answer something; or what the line itself gave (closed,
// unavailable). An exception is an answer. `meters` outlives the asking.
Task<Result<Identified>> identify(Asker ask, const Meters& meters, bool is_there = false,
                                  std::size_t most_requests = 100);

}  // namespace lightship::poller
