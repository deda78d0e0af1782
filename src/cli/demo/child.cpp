// fork, and what a child must forget of its parent.
#include "cli/demo/child.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lightship::cli {
namespace {

using namespace std::chrono_literals;

void forget_the_parent(pid_t parent, int end_with, int output) {
  ::prctl(PR_SET_PDEATHSIG, end_with);
  if (::getppid() != parent) std::_Exit(1);  // it ended before the line above
  ::setpgid(0, 0);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2, SIGPIPE})
    std::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::close(nothing);
  if (output < 0) return;
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
}

}  // namespace

Child::Child(std::string name, int end_with, std::function<int()> main, int output)
    : name_(std::move(name)) {
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) status_ = 1;
  if (pid_ != 0) return;
  forget_the_parent(parent, end_with, output);
  const int status = main();
  std::fflush(nullptr);
  std::_Exit(status);
}

std::optional<int> Child::ended() {
  int how = 0;
  if (!status_ && ::waitpid(pid_, &how, WNOHANG) == pid_)
    status_ = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
  return status_;
}

void Child::signal(int number) {
  if (!ended()) ::kill(pid_, number);
}

void Child::stop(std::chrono::milliseconds patience) {
  signal(SIGTERM);
  for (auto waited = 0ms; !ended(); waited += 5ms) {
    if (waited >= patience) ::kill(pid_, SIGKILL);
    std::this_thread::sleep_for(5ms);
  }
}

}  // namespace lightship::cli
