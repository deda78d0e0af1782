// Listens to a line without sending a byte.
#include "cli/sniff.h"

#include <csignal>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "app/app.h"
#include "base/text.h"
#include "cli/port_advice.h"
#include "cli/sniff_print.h"
#include "link/tcp.h"
#include "sources/modbus/find_url.h"
#include "sources/modbus/sniffer.h"

namespace lightship::cli {
namespace {

using poller::LineToFind;

// How long a rate is looked for when nothing else bounds it: a line that is polled once a minute is
// heard once.
constexpr Duration kFindAtMost = std::chrono::minutes(2);

// Everything that must outlive the listening, because a signal may end that at any moment.
struct Session {
  const SniffOptions& options;
  LineToFind wanted;
  SystemClock clock{};
  std::unique_ptr<modbus::Listener> listener{};
  poller::LineReport report{};
  std::optional<SniffPrinter> printer{};
  SniffSummary summary{};
  MonoTime begun{};
  std::optional<Error> ended{};  // why it could not begin, or did not go on
  std::unique_ptr<link::ByteLine> line{};
  std::function<link::SerialErrors()> errors{};

  void take(const modbus::Overheard& heard) {
    report.take(heard);
    printer->frame(heard);
  }
};

// Settles rate and parity in `wanted.line`; false when that failed, with the reason in `ended`.
Task<bool> find_rate(Session& session, const poller::OpenPort& open,
                     link::SerialSettings& settings) {
  const auto framing = session.wanted.framing();
  poller::ListenPlan plan;
  plan.at_most = session.options.seconds.value_or(kFindAtMost);
  const auto candidates = poller::likely_settings(settings, session.wanted.asked, framing);
  fmt::print(stderr, "looking for the rate of {}: {} of them, for at most {}\n", settings.device,
             counted(candidates.size(), "setting"), for_people(plan.at_most));
  const auto told = [](const link::SerialSettings& one) {
    fmt::print(stderr, "  listening at {}\n", link::describe(one));
  };
  auto found =
      co_await poller::find_rate_by_listening(open, session.clock, candidates, framing, plan, told);
  if (!found) {
    session.ended = found.error();
    co_return false;
  }
  if (!found->settings) {
    session.ended =
        Error{Errc::timeout,
              fmt::format("serial {}: rate not found: {}", settings.device, describe(*found)), 0};
    co_return false;
  }
  fmt::print(stderr, "found {}\n", describe(*found));
  settings = *found->settings;
  co_return true;
}

Task<void> work(Session& session, asio::any_io_executor executor) {
  const auto& line = session.wanted.line;
  std::optional<link::SerialSettings> settings;
  if (line.is_serial_port()) {
    settings = poller::serial_settings(line, {});
    settings->receive_only = true;
    settings->rs485 = {};
    const auto open = poller::port_opener(executor, session.clock);
    if (session.wanted.asked.any() && !co_await find_rate(session, open, *settings)) co_return;
    auto port = open(*settings);
    if (!port) {
      session.ended = port.error();
      co_return;
    }
    for (const auto& note : port->notes) fmt::print(stderr, "note: {}\n", note);
    session.line = std::move(port->line);
    session.errors = std::move(port->errors);
    session.summary.settings = settings;
    session.summary.line =
        fmt::format("{} {} {}", line.type == poller::LineType::ascii ? "ascii" : "serial",
                    line.port, link::describe(*settings));
  } else {
    auto dialled = co_await link::dial_tcp(session.clock, line.host, line.tcp_port, line.timeout);
    if (!dialled) {
      session.ended = dialled.error();
      co_return;
    }
    session.line = std::move(*dialled);
    session.summary.line = fmt::format("rtu over tcp {}:{}", line.host, line.tcp_port);
  }
  session.listener =
      poller::make_listener(session.wanted.framing(), settings ? &*settings : nullptr);
  session.begun = session.clock.mono();
  session.printer.emplace(session.options.json, line.type == poller::LineType::ascii,
                          session.clock.now());
  fmt::print(stderr, "listening to {}{}\n", session.summary.line,
             session.options.seconds ? " for " + for_people(*session.options.seconds)
                                     : "; Ctrl-C ends it with a summary");
  const auto until =
      session.options.seconds ? session.begun + *session.options.seconds : MonoTime::max();
  const poller::TakeHeard take = [&session](const modbus::Overheard& heard) {
    session.take(heard);
  };
  auto ended = co_await poller::listen(*session.line, session.clock, *session.listener,
                                       session.begun, until, take);
  if (ended.code != Errc::timeout) session.ended = std::move(ended);
}

Task<void> until_signal(Session& session, asio::io_context& loop) {
  TaskGroup group(loop.get_executor());
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&group](const boost::system::error_code& stopped, int) {
    if (!stopped) group.cancel();
  });
  group.spawn(work(session, loop.get_executor()));
  co_await group.join();
  signals.cancel();
}

int told(const Session& session) {
  if (!session.ended) return app::kFine;
  fmt::print(stderr, "lightship sniff: {}\n{}", session.ended->text,
             port_advice(*session.ended, true));
  return app::kUnavailable;
}

}  // namespace

CLI::App* add_sniff(CLI::App& program, SniffOptions& options) {
  auto* command = program.add_subcommand("sniff", "listen to a line without sending a byte");
  command
      ->add_option("--url", options.url,
                   "rtu:///dev/ttyX?baud=9600&parity=N&stop=1&data=8 ascii:///dev/ttyX "
                   "rtu+tcp://HOST:PORT; baud=auto finds rate and parity")
      ->required();
  command
      ->add_option_function<double>(
          "--seconds",
          [&options](double seconds) {
            options.seconds =
                std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
          },
          "end after so many seconds; absent: until Ctrl-C")
      ->check(CLI::Range(0.1, 1e7));
  command->add_flag("--find", options.find, "find rate and parity first, as baud=auto in the URL");
  command->add_flag("--json", options.json,
                    "print JSON lines: a frame, noise, and last the summary");
  command->footer(
      "The port is opened for reading alone, so nothing can be sent by mistake. One adapter cannot "
      "be shared with\na running gateway: stop that, or use a second adapter on the same two "
      "wires.");
  return command;
}

int sniff(const SniffOptions& options) {
  auto wanted = poller::parse_line_to_find(options.url);
  if (!wanted) {
    fmt::print(stderr, "lightship sniff: {}\n", wanted.error().text);
    return app::kUsage;
  }
  using poller::LineType;
  const auto type = wanted->line.type;
  if (type == LineType::tcp || type == LineType::udp) {
    fmt::print(stderr,
               "lightship sniff: what others say over {} does not pass here; expected rtu://, "
               "ascii:// or rtu+tcp://\n  a network's packets are shown by tcpdump or Wireshark\n",
               type == LineType::tcp ? "tcp" : "udp");
    return app::kUsage;
  }
  if (options.find && !wanted->line.is_serial_port()) {
    fmt::print(stderr, "lightship sniff: --find is for serial ports\n");
    return app::kUsage;
  }
  if (options.find && !wanted->baud_given) wanted->asked = {true, true};

  asio::io_context loop(1);
  Session session{options, std::move(*wanted)};
  asio::co_spawn(loop, until_signal(session, loop), [](std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  });
  loop.run();

  if (!session.printer) return told(session);
  session.listener->flush();
  while (const auto heard = session.listener->next()) session.take(*heard);
  session.summary.listened =
      std::chrono::duration_cast<Duration>(session.clock.mono() - session.begun);
  if (session.errors) session.summary.errors = session.errors();
  session.printer->summary(session.summary, session.report);
  const auto& report = session.report;
  const auto good = report.requests() + report.answers();
  if (session.summary.settings && report.bytes() > 0 && report.damaged() >= good)
    fmt::print(stderr,
               "hardly a frame could be read: rate or parity may be others; baud=auto in the URL "
               "finds them\n");
  return told(session);
}

}  // namespace lightship::cli
