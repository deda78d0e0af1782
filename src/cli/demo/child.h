// A child process that ends with us: stopped by its pid at the latest with this object, and by the
// kernel when we are killed.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/clock.h"

namespace lightship::cli {

class Child {
 public:
  // Forks; the child runs `main` and exits with what it returns. It has a process group of its own,
  // so that Ctrl-C reaches only us, the usual signals, /dev/null as its input and, where given,
  // `output` as stdout and stderr. Before any thread exists. `end_with` is its signal when we are
  // gone.
  Child(std::string name, int end_with, std::function<int()> main, int output = -1);
  ~Child() { stop(std::chrono::milliseconds(500)); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }

  // How it ended, in the way of a shell (128 + signal); nothing while it runs.
  std::optional<int> ended();

  void signal(int number);
  void stop(std::chrono::milliseconds patience);  // SIGTERM, and SIGKILL after that

 private:
  std::string name_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace lightship::cli
