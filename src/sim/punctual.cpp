// Absolute sleeps of the kernel.
#include "sim/punctual.h"

#include <cstdlib>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

namespace lightship::sim {
namespace {

using namespace std::chrono_literals;

// poll() may be late by a thousandth of its time, so the last bit is slept exactly.
constexpr auto kExactly = 2ms;

timespec span_of(std::chrono::nanoseconds span) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(span);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((span - seconds).count())};
}

}  // namespace

void become_punctual(const char* name, bool real_time) {
  ::prctl(PR_SET_NAME, name);
  ::prctl(PR_SET_TIMERSLACK, 1000);
  sched_param lowest{.sched_priority = ::sched_get_priority_min(SCHED_FIFO)};
  if (real_time) (void)::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &lowest);
}

Alarm::Alarm() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (event_ < 0) std::abort();
}

Alarm::~Alarm() { ::close(event_); }

void Alarm::call_off() {
  const std::uint64_t one = 1;
  (void)!::write(event_, &one, sizeof one);
}

bool Alarm::sleep_until(MonoTime when) {
  if (when - SystemClock().mono() > 2 * kExactly &&
      wait_readable(-1, when - kExactly) == Woken::called_off)
    return false;
  const timespec at = span_of(when.time_since_epoch());
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
  return true;
}

Alarm::Woken Alarm::wait_readable(int fd, MonoTime until) {
  std::array<pollfd, 2> watched{{{event_, POLLIN, 0}, {fd, POLLIN, 0}}};
  const bool for_ever = until == MonoTime::max();
  const auto left =
      for_ever ? 0ns : std::max<std::chrono::nanoseconds>(0ns, until - SystemClock().mono());
  const timespec limit = span_of(left);
  const int ready = ::ppoll(watched.data(), watched.size(), for_ever ? nullptr : &limit, nullptr);
  if (watched[0].revents != 0) return Woken::called_off;
  return ready > 0 ? Woken::readable : Woken::time;
}

}  // namespace lightship::sim
