// execv, as a supervisor of the process would want it: the process number stays.
#include "cli/start_again.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include <linux/close_range.h>
#include <unistd.h>

#include <fmt/format.h>

#include "app/app.h"

namespace lightship::cli {
namespace {

// Where the program lies. After an upgrade the kernel knows the old file only, as deleted; the new
// one has its name.
std::string own_file() {
  char path[4096];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path - 1);
  if (size <= 0) return {};
  std::string file(path, static_cast<std::size_t>(size));
  constexpr std::string_view kDeleted = " (deleted)";
  if (file.ends_with(kDeleted) && ::access(file.c_str(), X_OK) != 0)
    file.resize(file.size() - kDeleted.size());
  return file;
}

}  // namespace

int start_again(char** argv) {
  const auto file = own_file();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  std::fflush(nullptr);
  // Everything that was opened with care closes by itself; the rest must not live on either.
  ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
  ::execv(file.c_str(), argv);
  fmt::print(stderr, "lightship: cannot start {} again: {}\n", file, std::strerror(errno));
  return app::kDefect;
}

}  // namespace lightship::cli
