// Wires the house together, and takes it apart in the right order.
#include "app/app.h"

#include <csignal>
#include <cstdlib>

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>

#include "app/changes.h"
#include "app/control_commands.h"
#include "app/directories.h"
#include "app/load.h"
#include "app/parts.h"
#include "app/pinger.h"
#include "app/status.h"
#include "app/systemd.h"
#include "app/version.h"
#include "base/file.h"
#include "base/text.h"
#include "core/frame_ring.h"
#include "portal/portal.h"
#include "store/alert_book.h"
#include "store/alert_memory.h"

namespace lightship::app {

using namespace std::chrono_literals;

namespace {

// The whole stop takes less than 2 s (docs/operations.md): this much of it may go into delivering.
constexpr Duration kDrain = 700ms;
constexpr auto kLastWord = 1900ms;
// A part that is restarted by a reload delivers what waits for so long; the rest its successor
// finds.
constexpr Duration kReloadDrain = 300ms;
// From the answer to a wish to restart to its beginning.
constexpr Duration kLastAnswer = 300ms;

// What a wrong clock at the next start is known by.
constexpr auto kKeepTimeEvery = 10min;
// A clock that was set is news for so long.
constexpr auto kTellOfStep = 5min;

constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

// One that comes while the configuration is read waits until there is somebody to take it.
void hold_signals(int how) {
  sigset_t ours;
  ::sigemptyset(&ours);
  for (const int signal : kSignals) ::sigaddset(&ours, signal);
  ::pthread_sigmask(how, &ours, nullptr);
}

// A disk that hangs under the portal's or the audit's thread must not hold up the end: with this
// status the program is over after a second.
void end_at_the_latest(int status) {
  static volatile std::sig_atomic_t exit_status = 0;
  exit_status = status;
  std::signal(SIGALRM, [](int) { ::_exit(exit_status); });
  sigset_t alarm;
  ::sigemptyset(&alarm);
  ::sigaddset(&alarm, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  const itimerval in_a_second{{}, {1, 0}};
  ::setitimer(ITIMER_REAL, &in_a_second, nullptr);
}
void end_in_time() {
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
}

Time first_possible_time(const Options& options) {
  if (options.no_persistence) return newest_known_time({});
  return newest_known_time(read_file(options.data_dir / kClockFile, 4096).value_or(std::string()));
}

class App {
 public:
  App(const Options& options, Loaded loaded)
      : options_(options),
        clock_(),
        logbook_(
            clock_, options.log_to != nullptr ? options.log_to : stdout, options.form,
            options.level_given ? options.level : loaded.house.log_level.value_or(options.level)),
        log_(logbook_, "lightship"),
        loop_(1),
        cache_(catalog_),
        bus_(loop_.get_executor(), cache_),
        progress_(clock_),
        audit_(clock_, logbook_,
               options.no_persistence ? std::filesystem::path{} : options.data_dir / "audit.jsonl"),
        context_{loop_.get_executor(),
                 clock_,
                 logbook_,
                 catalog_,
                 cache_,
                 bus_,
                 metrics_,
                 progress_,
                 owners_,
                 alerts_,
                 clock_watch_,
                 files_,
                 heirlooms_,
                 loaded.site.device_id,
                 options.config_dir,
                 options.no_persistence ? std::filesystem::path{} : options.data_dir,
                 &audit_},
        parts_(context_),
        control_(context_),
        loaded_(std::move(loaded)),
        signals_(loop_),
        portal_(context_, program()) {}

  int run();

 private:
  portal::Program program();
  Task<void> live();
  Task<void> take_signals();
  Task<void> tick();
  Task<void> watch_clock();
  void tell_of_clock(const ClockWatch::News& news);
  Task<Result<void>> reload();
  Task<Result<void>> restart(std::string part);
  Result<void> restart_program();
  void first_password(const std::string& user, const std::string& password);
  portal::Settings portal_settings(const HouseConfig& house) const;
  void start_portal();
  void give_back();
  void apply_levels();
  void retire_devices();
  std::string reloading() const;  // for systemd

  const Options& options_;
  SystemClock clock_;
  Logbook logbook_;
  Log log_;
  asio::io_context loop_;
  Catalog catalog_;
  Cache cache_;
  Bus bus_;
  Metrics metrics_;
  Progress progress_;
  Owners owners_;
  Alerts alerts_{clock_};
  ClockWatch clock_watch_{clock_, first_possible_time(options_)};
  Worker files_;
  AuditFile audit_;
  std::map<std::string, std::shared_ptr<void>> heirlooms_;
  Context context_;
  AlertMemory alert_memory_{context_};
  Parts parts_;
  Control control_;
  Changes changes_{loop_.get_executor()};
  Loaded loaded_;
  asio::signal_set signals_;
  portal::Portal portal_;
  portal::Settings portal_as_started_;
  Systemd systemd_;
  Running running_;
  std::unique_ptr<asio::steady_timer> end_;  // never expires; cancelled to stop
  MonoTime alert_step_until_{};
  asio::steady_timer answered_{loop_};  // of who wants a restart
  bool stopping_ = false;
  bool restarting_ = false;
};

portal::Program App::program() {
  return {.metrics = [this] { return metrics_.prometheus(); },
          .status = [this] { return status_json(context_, parts_, running_); },
          .late = [this] { return progress_.late(); },
          .ready = [this] { return running_.ready; },
          .parts = [this] { return parts_.names(); },
          .restart_part =
              [this](std::string part) {
                return changes_.once(part, [this, part] { return restart(part); });
              },
          .first_password = [this](const std::string& user,
                                   const std::string& password) { first_password(user, password); },
          .restart = [this] { return restart_program(); },
          .uses = [this] { return uses_of(loaded_); },
          .ping = make_pinger(clock_),
          .config_keys = config_keys};
}

// Printed once, and in no log: lines of JSON are for machines that keep them.
void App::first_password(const std::string& user, const std::string& password) {
  if (options_.first_password) return options_.first_password(user, password);
  logbook_.flush(true);
  auto* to = options_.form == Logbook::Form::json ? stderr : stdout;
  fmt::print(to, "login {} {}\n", user, password);
  std::fflush(to);
}

// Who asked for it gets the answer first.
Result<void> App::restart_program() {
  if (stopping_) return fail(Errc::unavailable, "the program is ending already");
  log_.info("restarting", field("in", for_people(kLastAnswer)));
  restarting_ = true;
  answered_.expires_after(kLastAnswer);
  answered_.async_wait([this](boost::system::error_code stopped) {
    if (!stopped) end_->cancel();
  });
  return {};
}

int App::run() {
  parts_.program([this](View& view) {
    view.config_hash = running_.config_hash;
    view.uptime = std::chrono::duration_cast<Duration>(clock_.mono() - running_.started_mono);
    view.ready = running_.ready;
  });
  running_.started = clock_.now();
  running_.started_mono = clock_.mono();
  log_.info("starting", field("version", version()), field("config", options_.config_dir.string()),
            field("data", options_.data_dir.string()), field("pid", ::getpid()));
  for (const auto& mistake : loaded_.mistakes.sorted()) {
    if (mistake.severity == config::Severity::warning)
      log_.warn(mistake.message, field("file", mistake.file), field("line", mistake.line));
  }
  apply_levels();
  add_process_metrics(metrics_, running_.started);
  metrics_.gauge("clock_steps_total", "times the wall clock was set", {},
                 [this] { return static_cast<double>(clock_watch_.steps()); });
  metrics_.gauge("clock_suspends_total", "times the machine slept", {},
                 [this] { return static_cast<double>(clock_watch_.suspends()); });
  end_ = std::make_unique<asio::steady_timer>(loop_, MonoTime::max());
  for (const int signal : kSignals) signals_.add(signal);
  hold_signals(SIG_UNBLOCK);

  std::exception_ptr failure;
  asio::co_spawn(loop_, live(), [&](std::exception_ptr why) {
    failure = why;
    loop_.stop();
  });
  loop_.run();
  end_at_the_latest(restarting_ ? kTemporary : kFine);
  portal_.stop();
  files_.stop();
  audit_.stop();
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& defect) {
      log_.error("a defect ended the program", field("what", defect.what()));
    }
    logbook_.flush(true);
    end_in_time();
    return kDefect;
  }
  log_.info("stopped", field("after", for_people(clock_.mono() - running_.started_mono)));
  logbook_.flush(true);
  end_in_time();
  if (!restarting_) return kFine;
  systemd_.put_back();
  return kRestart;
}

Task<void> App::live() {
  alert_memory_.recall();
  FrameRing::of(context_)->set_memory(loaded_.house.frames_memory.bytes);
  parts_.start(loaded_.parts);
  running_.config_hash = loaded_.hash;
  running_.loaded = clock_.now();
  start_portal();
  give_back();
  if (parts_.count() == 0)
    log_.warn("nothing to do: no connection and no sink is configured",
              field("config", options_.config_dir.string()));

  TaskGroup house(context_.executor);
  house.spawn(take_signals());
  house.spawn(changes_.run());
  house.spawn(tick());
  house.spawn(watch_clock());
  house.spawn(alert_memory_.run());
  house.spawn(AlertBook::of(context_)->run());
  add_commands(control_, context_,
               {.status = program().status,
                // A script that asks for several at once has each, in turn.
                .restart =
                    [this](const std::string& part) {
                      return changes_.done([this, part] { return restart(part); }, part);
                    },
                .outbox = [this] { return loaded_.house.outbox; }});
  house.spawn(control_.serve(options_.config_dir));
  running_.ready = true;
  systemd_.notify(fmt::format("READY=1\nSTATUS={}", status_line(context_, running_)));
  if (options_.stop_after) end_->expires_after(*options_.stop_after);
  boost::system::error_code woken;
  co_await end_->async_wait(asio::redirect_error(asio::use_awaitable, woken));

  stopping_ = true;
  running_.ready = false;
  // A service that says it stops is waited for and started by systemd; this one comes back itself.
  if (restarting_)
    systemd_.notify(reloading());
  else
    systemd_.notify("STOPPING=1\nSTATUS=stopping");
  log_.info("stopping");
  // A second signal, or a stop that hangs, ends at once.
  asio::steady_timer limit(loop_, kLastWord);
  limit.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    log_.error("did not stop in time, ending at once");
    logbook_.flush(true);
    std::_Exit(kFine);
  });
  changes_.stop();
  house.cancel();
  co_await house.join();
  // A disk that hangs must not keep the parts from delivering.
  TaskGroup last(context_.executor);
  last.spawn(alert_memory_.save());
  alerts_.close();
  const auto asked = clock_.mono();
  std::function<void(boost::system::error_code, int)> second =
      [&](boost::system::error_code cancelled, int) {
        if (cancelled) return;
        // A signal to the process and then to its group is one wish, not two.
        if (clock_.mono() - asked < 300ms) {
          restarting_ = false;
          return signals_.async_wait(second);
        }
        logbook_.flush(true);
        std::_Exit(kFine);
      };
  signals_.async_wait(second);
  co_await parts_.stop_all(kDrain);
  co_await last.join();
  limit.cancel();
  signals_.cancel();
}

Task<void> App::take_signals() {
  while (!stopping_) {
    const int signal = co_await signals_.async_wait(asio::use_awaitable);
    switch (signal) {
      case SIGHUP:
        changes_.want([this] { return reload(); });
        break;
      case SIGUSR1:
      case SIGUSR2:
        logbook_.more_talkative(signal == SIGUSR1 ? 1 : -1);
        logbook_.note("log level changed", to_string(logbook_.level()));
        break;
      default:
        restarting_ = false;  // whoever wants the end gets it
        end_->cancel();
    }
  }
}

// Once a second: what is held back of the logs, systemd's watchdog and status.
Task<void> App::tick() {
  Duration pause = 1s;
  if (systemd_.watchdog()) pause = std::min(pause, *systemd_.watchdog() / 3);
  int turn = 0;
  for (;;) {
    const auto late = progress_.late();
    if (systemd_.watchdog() && late.empty()) systemd_.notify("WATCHDOG=1");
    if (!late.empty()) log_.error("no progress", field("parts", join(late, ", ")));
    if (++turn % 5 == 1) systemd_.notify("STATUS=" + status_line(context_, running_));
    logbook_.flush();
    co_await clock_.sleep_for(pause);
  }
}

// Once a second: was the wall clock moved, has the machine slept, is the time possible at all?
Task<void> App::watch_clock() {
  const auto file =
      context_.data_dir.empty() ? std::filesystem::path{} : context_.data_dir / kClockFile;
  if (!clock_watch_.plausible()) tell_of_clock({.plausible = false});
  auto keep_at = clock_.mono();
  for (;;) {
    tell_of_clock(clock_watch_.look());
    if (alert_step_until_ != MonoTime{} && clock_.mono() > alert_step_until_) {
      alerts_.clear("clock-step");
      alert_step_until_ = {};
    }
    if (!file.empty() && clock_watch_.plausible() && clock_.mono() >= keep_at) {
      keep_at = clock_.mono() + kKeepTimeEvery;
      // Without it a wrong clock at the next start may go unnoticed; nothing else depends on it.
      const auto kept = co_await files_.run(
          [file, text = keep_time(clock_.now())] { return write_file_atomic(file, text); });
      if (!kept) log_.debug("cannot keep the time", field("why", kept.error().text));
    }
    co_await clock_.sleep_for(1s);
  }
}

void App::tell_of_clock(const ClockWatch::News& news) {
  if (news.suspended.count() > 0) {
    log_.warn("the machine was suspended; every value is that much older",
              field("for", for_people(news.suspended)));
    cache_.age(news.suspended);
    parts_.nudge();
  }
  if (news.step.count() != 0) {
    const auto amount = for_people(std::chrono::abs(news.step));
    const char* way = news.step.count() > 0 ? "forward" : "back";
    log_.warn("the clock was set", field("way", way), field("by", amount),
              field("from", to_rfc3339(news.before)), field("to", to_rfc3339(news.after)));
    alerts_.raise({.rule = "clock-step",
                   .value = Real{to_ms(news.step) / 1000, 3},
                   .severity = Alert::Severity::info,
                   .text = fmt::format("The clock was set {} by {}, from {} to {}.", way, amount,
                                       to_rfc3339(news.before), to_rfc3339(news.after))});
    alert_step_until_ = clock_.mono() + kTellOfStep;
  }
  if (!news.plausible) return;
  if (*news.plausible) {
    log_.info("the clock is possible again", field("time", to_rfc3339(clock_.now())));
    alerts_.clear("clock-wrong");
    return;
  }
  log_.error("the clock is wrong: it shows a time that has passed long ago",
             field("time", to_rfc3339(clock_.now())));
  alerts_.raise({.rule = "clock-wrong",
                 .value = to_rfc3339(clock_.now()),
                 .severity = Alert::Severity::warning,
                 .text = "The clock shows a time that has passed long ago; times of values are "
                         "wrong until it is set. Look at NTP and at the battery of the clock."});
}

std::string App::reloading() const {
  return fmt::format(
      "RELOADING=1\nMONOTONIC_USEC={}",
      std::chrono::duration_cast<Duration>(clock_.mono().time_since_epoch()).count());
}

Task<Result<void>> App::restart(std::string part) {
  if (const auto done = co_await parts_.restart(part, kReloadDrain); !done) co_return done;
  log_.info("part restarted", field("part", part));
  give_back();
  co_return Result<void>();
}

Task<Result<void>> App::reload() {
  systemd_.notify(reloading());
  // Who asks gets an answer, also the second time within a minute.
  logbook_.flush(true);
  auto fresh = load_site(options_.config_dir);
  if (!fresh.ok()) {
    for (const auto& mistake : fresh.mistakes.sorted()) {
      if (mistake.severity != config::Severity::error) continue;
      log_.error("configuration is wrong",
                 field("at", fmt::format("{}:{}:{}", mistake.file, mistake.line, mistake.column)),
                 field("what", mistake.message), field("suggestion", mistake.suggestion));
    }
    log_.error("reload refused, nothing is changed", field("config", options_.config_dir.string()));
  } else {
    const bool portal_moved = portal_settings(fresh.house) != portal_as_started_;
    context_.device_id = fresh.site.device_id;
    loaded_ = std::move(fresh);
    apply_levels();
    retire_devices();
    const auto touched = co_await parts_.change_to(loaded_.parts, kReloadDrain);
    retire_devices();
    FrameRing::of(context_)->set_memory(loaded_.house.frames_memory.bytes);
    FrameRing::of(context_)->forget_unowned();
    parts_.nudge();
    running_.config_hash = loaded_.hash;
    running_.loaded = clock_.now();
    if (portal_moved) start_portal();
    give_back();
    log_.info("configuration reloaded",
              field("restarted", touched.empty() ? std::string("nothing") : join(touched, ", ")));
  }
  systemd_.notify(fmt::format("READY=1\nSTATUS={}", status_line(context_, running_)));
  co_return Result<void>();
}

void App::retire_devices() {
  for (const auto id : catalog_.devices()) {
    const auto name = catalog_.info(id).id();
    const bool kept = std::ranges::any_of(
        loaded_.site.devices, [&](const auto& device) { return device.info.id() == name; });
    if (!kept) catalog_.retire(id);
  }
}

void App::apply_levels() {
  if (!options_.level_given && loaded_.house.log_level)
    logbook_.set_level(*loaded_.house.log_level);
  for (const char* name : {"modbus", "mqtt", "http", "history", "modbus_gateway", "portal",
                           "lightship", "outbox", "audit", "control"}) {
    const auto own = loaded_.house.component_levels.find(name);
    logbook_.set_level(name, own == loaded_.house.component_levels.end()
                                 ? std::nullopt
                                 : std::optional(own->second));
  }
}

// What reading the configuration needed lies in holes between what is kept.
void App::give_back() { ::malloc_trim(0); }

portal::Settings App::portal_settings(const HouseConfig& house) const {
  auto settings = house.portal;
  const auto endpoint = parse_endpoint(house.listen).value_or(Endpoint{"127.0.0.1", 8080});
  settings.address = endpoint.address;
  settings.port = endpoint.port;
  settings.port_named = house.listen_named;
  settings.metrics_public = house.metrics_public;
  // Relative to the configuration, as every file that is read.
  settings.tls_files.certificate = options_.config_dir / settings.tls_files.certificate;
  settings.tls_files.key = options_.config_dir / settings.tls_files.key;
  // One that was renewed is another one.
  std::error_code missing;
  settings.tls_files.written =
      std::filesystem::last_write_time(settings.tls_files.certificate, missing);
  settings.pages = options_.portal_root;
  return settings;
}

void App::start_portal() {
  portal_as_started_ = portal_settings(loaded_.house);
  portal_.start(portal_as_started_, [this](const std::string& url) {
    running_.portal = url;
    if (!context_.data_dir.empty()) {
      if (auto written = write_file_atomic(context_.data_dir / "portal.url", url + "\n");
          !written) {
        log_.warn("cannot write portal.url", field("why", written.error().text));
      }
    }
    if (options_.started) options_.started(url);
  });
}

int refuse(int status, const std::string& text) {
  fmt::print(stderr, "lightship: {}\n", text);
  return status;
}

}  // namespace

int run(const Options& given) {
  Options options = given;
  // Short waits on a serial line should not be lengthened by the kernel's habit of bundling timers.
  ::prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
  // Few threads, little memory: arenas for each would only spread it.
  ::mallopt(M_ARENA_MAX, 1);
  // Each browser and each device takes a descriptor; the usual 1024 are for programs with select().
  if (rlimit files{}; ::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 65536);
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
  ::mallopt(M_TRIM_THRESHOLD, 128 * 1024);
  std::signal(SIGPIPE, SIG_IGN);
  hold_signals(SIG_BLOCK);

  std::error_code failed;
  if (!std::filesystem::is_directory(options.config_dir, failed)) {
    if (options.config_named) {
      return refuse(kConfig, fmt::format("the configuration directory {} does not exist",
                                         options.config_dir.string()));
    }
    auto made = make_config_dir(options.config_dir);
    if (!made) return refuse(kUnavailable, made.error().text);
    fmt::print(stderr, "lightship: made {} with commented examples\n", options.config_dir.string());
  }
  auto loaded = load_site(options.config_dir);
  if (!loaded.ok()) {
    fmt::print(stderr, "{}", loaded.mistakes.text());
    return refuse(kConfig, fmt::format("the configuration in {} is wrong; nothing was started",
                                       options.config_dir.string()));
  }
  std::optional<DataLock> lock;
  auto locked = DataLock::take(options.data_dir);
  if (locked) {
    lock.emplace(std::move(*locked));
  } else if (options.no_persistence) {
    fmt::print(stderr, "lightship: {}; going on without persistence\n", locked.error().text);
  } else {
    return refuse(kUnavailable,
                  fmt::format("{} (or run with --no-persistence)", locked.error().text));
  }
  // Sequence numbers and logs of a day need far less; below this the next power cut costs data.
  constexpr std::uint64_t kLittleSpace = 16 << 20;
  if (lock && free_space(options.data_dir) < kLittleSpace && !options.no_persistence) {
    fmt::print(stderr, "lightship: less than 16 MB are free for {}\n", options.data_dir.string());
  }
  App app(options, std::move(loaded));
  return app.run();
}

}  // namespace lightship::app
