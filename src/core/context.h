// Context: what a driver may ask of the house.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "core/alert.h"
#include "core/audit.h"
#include "core/bus.h"
#include "core/cache.h"
#include "core/catalog.h"
#include "core/clock_watch.h"
#include "core/metrics.h"
#include "core/progress.h"
#include "core/request.h"

namespace lightship {

class Viewed;

struct Context {
  asio::any_io_executor executor;  // the field loop
  Clock& clock;
  Logbook& logbook;
  Catalog& catalog;
  Cache& cache;
  Bus& bus;
  Metrics& metrics;
  Progress& progress;
  Owners& owners;
  Alerts& alerts;
  ClockWatch& clock_watch;
  Worker& files;  // the thread that writes small files to DATA_DIR
  // What a part leaves for its successor after a reload: its queue, its counters. By the part's
  // name.
  std::map<std::string, std::shared_ptr<void>>& heirlooms;
  std::string device_id;  // who we are
  std::filesystem::path config_dir;
  std::filesystem::path data_dir;  // empty: run without persistence
  Audit* audit = nullptr;          // nothing (in tests): what must be audited is refused
  Viewed* viewed = nullptr;        // what runs, to be shown
};

}  // namespace lightship
