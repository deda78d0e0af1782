// What the portal's handlers may ask of the house.
#pragma once

#include <filesystem>

#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "portal/field.h"

namespace lightship::portal {

class Accounts;
class LiveHub;

struct House {
  asio::any_io_executor loop;  // the portal's
  Clock& clock;
  Logbook& logbook;
  Field& field;
  Worker& disk;        // what blocks and reads: history, /sys, a support bundle
  Accounts& accounts;  // users, sessions, tokens
  LiveHub& live;       // topics of /api/live
  std::filesystem::path config_dir;
  std::filesystem::path data_dir;  // empty: without persistence
};

}  // namespace lightship::portal
