// Looks for the units of a line: listens first, finds the rate, asks, and tells what answered.
#include "cli/scan.h"

#include <csignal>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "app/app.h"
#include "base/text.h"
#include "cli/port_advice.h"
#include "cli/scan_print.h"
#include "config/scalar.h"
#include "link/serial_timing.h"
#include "sources/modbus/find_url.h"
#include "sources/modbus/rate_asker.h"
#include "sources/modbus/setup.h"

namespace lightship::cli {
namespace {

using namespace std::chrono_literals;
using poller::LineType;

// Bytes that no setting makes sense of: a few are a line without bias resistors, more are somebody.
constexpr std::size_t kSomebody = 32;
// A line that is polled every few seconds must be heard more than once at the right setting.
constexpr Duration kFindByListening = 30s;

struct Session {
  const ScanOptions& options;
  poller::LineToFind wanted;
  std::vector<std::uint8_t> units;
  poller::Unknown unknown{};
  std::optional<link::SerialSettings> settings{};
  poller::Meters meters{};
  SystemClock clock{};
  ScanProgress progress{};
  ScanResult result{};
  MonoTime begun{};
  std::optional<Error> ended{};  // why it could not go on
  bool head_told = false;

  bool is_serial() const { return wanted.line.is_serial_port(); }
};

// False: somebody else talks here, or the port cannot be had; the reason is in `ended`.
Task<bool> listen_first(Session& session, asio::any_io_executor executor) {
  auto settings = *session.settings;
  settings.receive_only = true;
  const auto framing = session.wanted.framing();
  auto candidates = poller::likely_settings(settings, session.unknown, framing);
  session.progress.phase(fmt::format("listening to {} for {}, whether somebody else is asking",
                                     settings.device, for_people(session.options.listen)));
  poller::ListenPlan plan;
  plan.at_most = session.options.listen;
  const auto open = poller::port_opener(executor, session.clock);
  auto heard =
      co_await poller::find_rate_by_listening(open, session.clock, candidates, framing, plan);
  if (heard && !heard->settings && heard->bytes > 0 && candidates.size() > 1) {
    session.progress.phase(
        fmt::format("{} were heard; finding out at which setting", counted(heard->bytes, "byte")));
    plan.at_most = kFindByListening;
    const auto bytes = heard->bytes;
    heard = co_await poller::find_rate_by_listening(open, session.clock, candidates, framing, plan);
    if (heard) heard->bytes += bytes;
  }
  if (!heard) {
    session.ended = heard.error();
    co_return false;
  }
  if (heard->bytes == 0) co_return true;
  if (heard->settings) {
    session.progress.note("heard " + describe(*heard));
    auto found = *heard->settings;
    found.receive_only = false;
    session.settings = found;
    session.unknown = {};
  }
  if (!heard->settings && heard->bytes < kSomebody) {
    session.progress.note(fmt::format("{} of noise were heard; bias resistors may be missing",
                                      counted(heard->bytes, "byte")));
    co_return true;
  }
  const auto who = heard->settings ? fmt::format("another master asks on this line, at {}",
                                                 link::describe(*heard->settings))
                                   : describe(*heard);
  if (session.options.force) {
    session.progress.note(who + "; going on all the same");
    co_return true;
  }
  session.ended = Error{
      Errc::unavailable,
      fmt::format("serial {}: {}. Nothing was sent, because two masters spoil each other's answers",
                  settings.device, who),
      0};
  co_return false;
}

Task<Result<std::unique_ptr<poller::Conversation>>> open_at(Session& session,
                                                            asio::any_io_executor executor,
                                                            link::SerialSettings settings) {
  co_return co_await poller::open_line(executor, session.clock, session.wanted.line, settings);
}

Task<bool> ask_for_rate(Session& session, asio::any_io_executor executor) {
  poller::AskRatePlan plan;
  plan.candidates =
      poller::likely_settings(*session.settings, session.unknown, session.wanted.framing());
  plan.units = session.units;
  if (session.options.timeout) plan.patience = *session.options.timeout;
  session.progress.phase(fmt::format("asking at {}, for at most {}",
                                     counted(plan.candidates.size(), "setting"),
                                     for_people(plan.longest())));
  const poller::OpenAt open = [&session, executor](link::SerialSettings settings) {
    return open_at(session, executor, std::move(settings));
  };
  const auto told = [&session](const link::SerialSettings& settings, std::size_t units) {
    session.progress.note(fmt::format("{}, {}", link::describe(settings), counted(units, "unit")));
  };
  auto found = co_await poller::find_rate_by_asking(executor, open, std::move(plan), told);
  if (!found) {
    session.ended = found.error();
    co_return false;
  }
  if (found->settings) {
    session.settings = found->settings;
    session.progress.note(
        fmt::format("found {}: unit {} answers", link::describe(*found->settings), found->unit));
    co_return true;
  }
  session.ended =
      Error{Errc::timeout,
            fmt::format("serial {}: nobody answered at any setting{}", session.settings->device,
                        found->damaged_at.empty()
                            ? ""
                            : "; something damaged came back at " + join(found->damaged_at, ", ")),
            0};
  co_return false;
}

poller::ScanPlan plan_of(const Session& session) {
  poller::ScanPlan plan;
  plan.units = session.units;
  const auto type = session.wanted.line.type;
  plan.mbap = type == LineType::tcp || type == LineType::udp;
  if (session.is_serial()) {
    const bool ascii = type == LineType::ascii;
    plan.wire = std::chrono::duration_cast<Duration>(
        link::wire_time(*session.settings, ascii ? 34 : 15) + 2 * link::t35(*session.settings));
  } else {
    // A gateway waits for the device behind it, and tells afterwards that nobody is there.
    plan.patience = 1s;
    plan.least = 300ms;
    plan.most = 5s;
  }
  if (session.options.timeout) plan.patience = plan.least = plan.most = *session.options.timeout;
  return plan;
}

Task<void> ask_all(Session& session, poller::Talker& talker) {
  const auto plan = plan_of(session);
  session.progress.phase(fmt::format(
      "asking {}{}, for at most {} when nobody answers", counted(plan.units.size(), "unit"),
      session.is_serial() ? " at " + link::describe(*session.settings) : "",
      for_people(plan.longest())));
  std::size_t count = 0;
  poller::ScanNews news;
  news.progress = [&](std::size_t done, std::size_t all, std::uint8_t unit, Duration left) {
    session.progress.step(done, all, unit, count, left);
  };
  news.again = [&](std::size_t units, Duration left) {
    session.progress.phase(fmt::format("asking {} that said nothing once more, for at most {}",
                                       counted(units, "unit"), for_people(left)));
  };
  news.found = [&](const poller::UnitFound& found) {
    ++count;
    // Kept at once: a signal may end the scan before anything more is known of it.
    auto& unit = session.result.units.emplace_back();
    unit.found = found;
    session.progress.note(found.only_damaged()
                              ? fmt::format("unit {}: something damaged comes back", found.unit)
                              : fmt::format("unit {} answers in {}: {}", found.unit,
                                            for_people(found.answer_time), found.answered));
  };
  auto found = co_await poller::scan_units(talker, plan, news);
  if (!found) session.ended = found.error();
  if (found && !found->empty()) {
    session.progress.phase("asking each what it is");
    std::ranges::sort(session.result.units, {}, [](const auto& u) { return u.found.unit; });
    for (auto& unit : session.result.units) {
      const auto patience = std::max<Duration>(300ms, 4 * unit.found.answer_time);
      auto identified = co_await identify_unit(talker, unit.found, patience, session.meters);
      if (identified) unit = std::move(*identified);
      if (!session.options.json) {
        if (!std::exchange(session.head_told, true)) print_scan_head();
        print_scan_row(unit);
      }
    }
  }
}

Task<void> ask_units(Session& session, asio::any_io_executor executor) {
  const auto settings = session.settings.value_or(link::SerialSettings{});
  const poller::Talker::Open open = [&session, executor, settings] {
    return open_at(session, executor, settings);
  };
  poller::Talker talker(executor, open);
  std::exception_ptr stopped;
  try {
    co_await ask_all(session, talker);
  } catch (...) {
    stopped = std::current_exception();
  }
  if (stopped) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await talker.end();
  if (stopped) std::rethrow_exception(stopped);
}

Task<void> work(Session& session, asio::any_io_executor executor) {
  if (session.is_serial()) {
    if (session.options.listen.count() > 0 && !co_await listen_first(session, executor)) co_return;
    if (session.unknown.any() && !co_await ask_for_rate(session, executor)) co_return;
    session.result.settings = session.settings;
  }
  co_await ask_units(session, executor);
}

Task<void> until_signal(Session& session, asio::io_context& loop) {
  TaskGroup group(loop.get_executor());
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& stopped, int) {
    if (stopped) return;
    session.ended = Error{Errc::cancelled, "ended by a signal; this is what was found so far", 0};
    group.cancel();
  });
  group.spawn(work(session, loop.get_executor()));
  co_await group.join();
  signals.cancel();
}

std::vector<std::uint8_t> usual_units(bool mbap) {
  std::vector<std::uint8_t> units;
  // On TCP 255 and 0 mean "this device", for devices without a line behind them.
  if (mbap) units = {1, 255, 0};
  for (int unit = mbap ? 2 : 1; unit <= 247; ++unit)
    units.push_back(static_cast<std::uint8_t>(unit));
  return units;
}

int wrong(std::string_view text) {
  fmt::print(stderr, "lightship scan: {}\n", text);
  return app::kUsage;
}

int told(Session& session) {
  session.result.took = std::chrono::duration_cast<Duration>(session.clock.mono() - session.begun);
  auto& result = session.result;
  if (session.ended)
    fmt::print(stderr, "lightship scan: {}\n{}", session.ended->text,
               port_advice(*session.ended, false));
  if (session.ended && session.ended->code == Errc::unavailable && result.units.empty() &&
      session.ended->text.find("Nothing was sent") != std::string::npos)
    fmt::print(stderr,
               "  lightship sniff shows what is asked there; end that master, or --force\n");
  if (session.options.json) {
    print_scan_json(result);
  } else if (!result.units.empty()) {
    if (!session.head_told) {
      print_scan_head();
      for (const auto& unit : result.units) print_scan_row(unit);
    }
    print_scan_end(result);
    if (session.options.yaml) print_scan_yaml(result);
  } else if (!session.ended) {
    fmt::print(
        stderr,
        "nobody answered among {}. Look at power, the two wires and their polarity, "
        "termination{}\n",
        counted(session.units.size(), "unit"),
        session.is_serial() ? ", rate and parity (baud=auto in the URL looks for them)" : "");
  }
  return result.units.empty() ? app::kUnavailable : app::kFine;
}

}  // namespace

CLI::App* add_scan(CLI::App& program, ScanOptions& options) {
  auto* command =
      program.add_subcommand("scan", "which units answer on a line, and what they say they are");
  command
      ->add_option("--url", options.url,
                   "tcp://HOST[:502] udp://HOST[:502] rtu+tcp://HOST:PORT rtu:///dev/ttyX "
                   "ascii:///dev/ttyX; without baud= the rate and parity of a port are found")
      ->required();
  command->add_option("--units", options.units,
                      "units to ask, as 1-247 (unless said) or 1-10,17,33");
  const auto duration = [command](const char* name, auto take, const char* help) {
    return command->add_option_function<std::string>(
        name,
        [name, take](const std::string& text) {
          const auto parsed = config::parse_duration(text);
          if (!parsed || *parsed < 0)
            throw CLI::ValidationError(name, "'" + text + "' is not a time such as 500ms or 2s");
          take(Duration(*parsed));
        },
        help);
  };
  duration(
      "--listen", [&options](Duration d) { options.listen = d; },
      "listen so long before anything is sent on a serial line (3s); 0: do not");
  duration(
      "--timeout", [&options](Duration d) { options.timeout = std::max<Duration>(d, 1ms); },
      "wait so long for each unit; learned from those that answer unless given");
  command->add_flag("--force", options.force, "send although another master is heard");
  command->add_flag("--yaml", options.yaml, "print a piece of slave_config.yaml as well");
  command->add_flag("--json", options.json, "print one JSON object");
  command->footer(
      "Only reads are sent: functions 3 and 4, and 43/14 and 17, which ask what a device is. Exit "
      "status: 0 when\nsomebody answered, 69 when nobody did or the line cannot be had, 64 wrong "
      "usage.");
  return command;
}

int scan(const ScanOptions& options) {
  auto wanted = poller::parse_line_to_find(options.url);
  if (!wanted) return wrong(wanted.error().text);
  const auto type = wanted->line.type;
  const bool mbap = type == LineType::tcp || type == LineType::udp;
  Session session{options, std::move(*wanted), usual_units(mbap)};
  if (!options.units.empty()) {
    auto units = poller::parse_units(options.units);
    if (!units) return wrong(units.error().text);
    if (!mbap && std::ranges::find(*units, 0) != units->end())
      return wrong("unit 0 is for messages to everybody, whom nobody answers; expected 1 to 247");
    session.units = std::move(*units);
  }
  if (session.is_serial()) {
    session.unknown = session.wanted.asked;
    if (!session.wanted.baud_given) {
      session.unknown.baud = true;
      session.unknown.parity |= !session.wanted.parity_given;
    }
    session.settings = poller::serial_settings(session.wanted.line, {});
  }
  config::Mistakes mistakes;
  session.meters = poller::Meters::built_in(mistakes);
  session.result.url = options.url;
  session.result.line = &session.wanted.line;
  session.begun = session.clock.mono();

  asio::io_context loop(1);
  asio::co_spawn(loop, until_signal(session, loop), [](std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  });
  loop.run();
  return told(session);
}

}  // namespace lightship::cli
