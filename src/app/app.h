// The program while it runs: loops, parts, signals, reload and stop.
//
// The calling thread becomes the field loop; the portal has a thread of its own. See
// docs/architecture.md.
#pragma once

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"

namespace lightship::app {

struct Options {
  std::filesystem::path config_dir;
  std::filesystem::path data_dir;
  bool config_named = false;  // given by option or environment: must exist
  bool data_named = false;
  std::filesystem::path portal_root;  // pages from this folder, for who works on them
  bool no_persistence = false;        // go on when data_dir cannot be written
  Level level = Level::info;
  bool level_given = false;  // by option or environment: wins over the configuration
  Logbook::Form form = Logbook::Form::text;
  std::FILE* log_to = nullptr;  // stdout unless said
  std::optional<Duration> stop_after;
  // Called once on the field loop when everything has been started.
  std::function<void(const std::string& portal_address)> started;
  // Called once on the field loop where nobody could log in yet; else the password is printed.
  std::function<void(const std::string& user, const std::string& password)> first_password;
};

// Exit statuses (sysexits.h); docs/operations.md says what each means.
enum Exit : int {
  kFine = 0,
  kUsage = 64,
  kUnavailable = 69,
  kDefect = 70,
  kTemporary = 75,
  kConfig = 78,
  kRestart = -1  // no exit status: the program is to be started again in its place
};

// Runs until SIGTERM, SIGINT or `stop_after`; returns the exit status, or kRestart. What is wrong
// at start is printed.
int run(const Options& options);

}  // namespace lightship::app
