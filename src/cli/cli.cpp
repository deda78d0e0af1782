// Parses the command line and calls the subcommand.
#include "cli/cli.h"

#include <cstdlib>

#include <CLI/CLI.hpp>

#include "app/app.h"
#include "app/directories.h"
#include "app/load.h"
#include "app/registry.h"
#include "app/version.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/check.h"
#include "cli/demo.h"
#include "cli/outbox.h"
#include "cli/query.h"
#include "cli/read.h"
#include "cli/restart.h"
#include "cli/scan.h"
#include "cli/sniff.h"
#include "cli/start_again.h"
#include "cli/status.h"
#include "cli/user.h"
#include "cli/write.h"
#include "config/scalar.h"

namespace lightship::cli {
namespace {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == 0) return std::nullopt;
  return std::string(value);
}

// Options that several subcommands share, as typed.
struct Typed {
  std::string config, data, level, format, portal_root;
  bool json = false, no_persistence = false;
};

app::Options run_options(const Typed& typed) {
  app::Options options;
  const auto config = typed.config.empty() ? environment("CONFIG_DIR") : typed.config;
  const auto data = typed.data.empty() ? environment("DATA_DIR") : typed.data;
  options.config_named = config.has_value();
  options.data_named = data.has_value();
  options.config_dir = config ? std::filesystem::path(*config) : app::default_config_dir();
  options.data_dir = data ? std::filesystem::path(*data) : app::default_data_dir();
  options.no_persistence = typed.no_persistence;
  if (!typed.portal_root.empty())
    options.portal_root = std::filesystem::absolute(typed.portal_root);
  const auto level = typed.level.empty() ? environment("LOG_LEVEL") : typed.level;
  if (level) {
    options.level = parse_level(*level).value_or(Level::info);
    options.level_given = true;
  }
  const auto format = typed.format.empty() ? environment("LOG_FORMAT") : typed.format;
  options.form = format == "json" ? Logbook::Form::json : Logbook::Form::text;
  return options;
}

int print_version(bool as_json) {
  if (!as_json) {
    fmt::print("lightship {}\n", app::version());
    return app::kFine;
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("name", "lightship").member("version", app::version());
  json.key("modules").begin_array();
  for (const auto& module : app::built_in()) {
    json.begin_object().member("kind", module.kind).member("name", module.name).end_object();
  }
  json.end_array().member("compiler", "clang " __clang_version__).end_object();
  fmt::print("{}\n", text);
  return app::kFine;
}

constexpr const char* kReferenceHead = R"(# Configuration

Every file, every key, its default and its limits. This page is printed by `lightship reference` from the
declarations that also read and check the files, so it says what the program does; a test compares the two.

- All files lie in one directory and all of them are optional: a part whose file is absent is off, apart from
  the portal. `lightship check` finds every mistake at once, with file, line and column.
- Unknown keys, duplicate keys, wrong types and impossible values are errors.
- A **duration** is a plain number of seconds (fractions are allowed) or `500ms`, `5s`, `2m`, `1h`, `1d`. A **size** is
  a plain number of bytes or `64KiB`, `32MB`.
- A **secret** is best given as `!secret NAME`, which takes it from `secrets.yaml` in the same directory (mode 0600, a map
  of names to texts), or as `!env NAME` from the environment. Both work for any value. Secrets are not shown again.
- Files that are named in the configuration (certificates, keys) are relative to the configuration directory.

)";

const auto kLevels = [](const std::string& text) {
  return parse_level(text) ? "" : "'" + text + "' is none of debug, info, warn, error";
};

CLI::Option* add_duration(CLI::App* to, const char* name, Duration& into, const char* help) {
  return to->add_option_function<std::string>(
      name,
      [&into, name](const std::string& text) {
        const auto parsed = config::parse_duration(text);
        if (!parsed || *parsed <= 0)
          throw CLI::ValidationError(name, "'" + text + "' is not a time such as 500ms, 5s or 2");
        into = Duration(*parsed);
      },
      help);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program(
      "Lightship, an edge gateway: polls Modbus meters and devices, keeps what each said last, and "
      "passes it on\n"
      "to MQTT brokers and as a Modbus TCP gateway.",
      "lightship");
  program.require_subcommand(0, 1);
  program.footer(
      "Exit status: 0 fine, 64 wrong usage, 78 wrong configuration, 69 a needed thing is "
      "unavailable or does not\n"
      "answer, 75 a device answered with an exception, 70 a defect. Environment: CONFIG_DIR, "
      "DATA_DIR, LOG_LEVEL,\n"
      "LOG_FORMAT; options win. Signals: SIGHUP reloads, SIGUSR1 and SIGUSR2 log more and less.\n"
      "lightship COMMAND --help tells more of each command.");
  bool version_flag = false;
  program.add_flag("--version", version_flag, "print the version");

  Typed typed;
  auto* run = program.add_subcommand("run", "the gateway, until a signal ends it");
  run->add_option("--config", typed.config,
                  "configuration directory (CONFIG_DIR, else ~/.config/lightship)");
  run->add_option("--data", typed.data, "data directory (DATA_DIR, else ~/.local/share/lightship)");
  run->add_option("--log-level", typed.level, "debug, info, warn or error")
      ->check(CLI::Validator(kLevels, "LEVEL"));
  run->add_option("--log-format", typed.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  run->add_flag("--no-persistence", typed.no_persistence,
                "keep nothing on disk; for a data directory that cannot be written");
  constexpr auto kPortalRoot =
      "serve the portal's pages from this folder, for development; absent: those in the program";
  run->add_option("--portal-root", typed.portal_root, kPortalRoot)->check(CLI::ExistingDirectory);

  DemoOptions demo_options;
  std::optional<std::uint16_t> portal_port, gateway_port, mqtt_port;
  std::optional<unsigned> seconds;
  auto* demo_command = program.add_subcommand("demo", "the gateway on a simulated site");
  demo_command->add_option("--data", typed.data,
                           "data directory; absent: a temporary one, removed at the end");
  demo_command
      ->add_option("--portal-port", portal_port, "port of the portal (8080); 0: any free one")
      ->check(CLI::Range(0, 65535));
  demo_command
      ->add_option("--gateway-port", gateway_port,
                   "port of the Modbus TCP gateway (4196); 0: any free one")
      ->check(CLI::Range(0, 65535));
  demo_command
      ->add_option("--mqtt-port", mqtt_port, "port of the MQTT broker (1883); 0: any free one")
      ->check(CLI::Range(0, 65535));
  demo_command->add_option("--portal-root", typed.portal_root, kPortalRoot)
      ->check(CLI::ExistingDirectory);
  demo_command->add_option("--seconds", seconds, "end after so many seconds, with exit status 0")
      ->check(CLI::Range(1, 1'000'000));

  auto* check_command =
      program.add_subcommand("check", "validate the configuration and show the poll plan");
  check_command->add_option("--config", typed.config,
                            "configuration directory (CONFIG_DIR, else ~/.config/lightship)");
  check_command->add_flag("--json", typed.json, "print one JSON object");

  ReadUrlOptions by_url;
  ReadDeviceOptions by_device;
  std::string point, device;
  auto* read =
      program.add_subcommand("read", "read registers once: by --url, or of a configured --device");
  auto* url =
      read->add_option("--url", by_url.url,
                       "tcp://HOST[:502] udp://HOST[:502] rtu+tcp://HOST:PORT "
                       "rtu:///dev/ttyX?baud=9600&parity=N&stop=1&data=8 ascii:///dev/ttyX");
  read->add_option("--unit", by_url.unit, "unit id to ask (1)")
      ->check(CLI::Range(0, 255))
      ->needs(url);
  read->add_option("--fn", by_url.function, "what to read (holding)")
      ->check(CLI::IsMember({"coil", "discrete", "holding", "input"}))
      ->needs(url);
  read->add_option("--at", by_url.address, "first address as on the wire, counted from 0 (0)")
      ->check(CLI::Range(0, 65535))
      ->needs(url);
  read->add_option("--count", by_url.count, "how many registers or bits (1)")
      ->check(CLI::Range(1, 65536))
      ->needs(url);
  read->add_option(
          "--type", by_url.type,
          "how to read the registers: uint16 (unless said), int16, uint32, float32, string, ...")
      ->needs(url);
  read->add_option("--order", by_url.order,
                   "order of the bytes: ABCD (unless said), BADC, CDAB or DCBA")
      ->needs(url);
  add_duration(read, "--timeout", by_url.timeout, "longest wait for an answer (3s)")->needs(url);
  read->add_option("--config", typed.config,
                   "configuration directory (CONFIG_DIR, else ~/.config/lightship)")
      ->excludes(url);
  read->add_option(
          "--device", by_device.device,
          "a configured device: CONNECTION/CLIENT, or CLIENT where only one connection has it")
      ->excludes(url);
  read->add_option("--point", by_device.point, "only this point; absent: all of the device")
      ->excludes(url);
  read->add_flag("--json", typed.json, "print one JSON object");

  ScanOptions scan_options;
  auto* scan_command = add_scan(program, scan_options);
  SniffOptions sniff_options;
  auto* sniff_command = add_sniff(program, sniff_options);
  WriteOptions write_options;
  std::optional<std::string> expected;
  auto* write_command = program.add_subcommand(
      "write", "write a point of a configured device, which must allow it, and read it back");
  write_command->add_option("--config", typed.config,
                            "configuration directory (CONFIG_DIR, else ~/.config/lightship)");
  write_command
      ->add_option("--device", write_options.device,
                   "CONNECTION/CLIENT, or CLIENT where only one connection has it")
      ->required();
  write_command->add_option("--point", write_options.point, "the point, which is writable: true")
      ->required();
  write_command
      ->add_option("--value", write_options.value,
                   "a number in the point's own unit, true or false, a name of its enum, or a text")
      ->required();
  write_command->add_option("--expect", expected,
                            "written only when the device holds this value now");
  write_command->add_option("--data", typed.data,
                            "data directory for the audit where no gateway runs (DATA_DIR, else "
                            "~/.local/share/lightship)");
  add_duration(write_command, "--timeout", write_options.timeout,
               "longest time for all of it: reading, writing, reading back (10s)");
  write_command->add_flag("--json", typed.json, "print one JSON object");

  StatusOptions status_options;
  auto* status_command =
      program.add_subcommand("status", "what the running gateway says of itself");
  status_command->add_option("--url", status_options.url,
                             "the portal's address; absent: what portal.url in the data directory "
                             "says, else http://127.0.0.1:8080");
  status_command->add_option(
      "--data", typed.data,
      "data directory of the running gateway (DATA_DIR, else ~/.local/share/lightship)");
  status_command->add_option("--token-file", status_options.token_file,
                             "file with an API token, for a gateway elsewhere or of another user "
                             "(else LIGHTSHIP_TOKEN)");
  status_command->add_option("--ca-file", status_options.ca_file,
                             "certificate to trust over HTTPS, such as its portal-cert.pem");
  status_command->add_flag("--json", typed.json, "print the JSON of GET /api/status");

  std::string part;
  auto* restart_command = program.add_subcommand(
      "restart", "stop one part of the running gateway and start it again; the others go on");
  restart_command->add_option("PART", part, "its name, as lightship status prints it")->required();
  restart_command->add_option(
      "--config", typed.config,
      "configuration directory of the running gateway (CONFIG_DIR, else ~/.config/lightship)");

  auto* outbox_command = program.add_subcommand(
      "outbox", "what waits on disk for acknowledgement, and what was set aside and why");
  outbox_command->add_option("--data", typed.data,
                             "data directory of the gateway, which may be running (DATA_DIR, else "
                             "~/.local/share/lightship)");
  outbox_command->add_flag("--json", typed.json, "print one JSON object");
  outbox_command->add_option("--config", typed.config,
                             "configuration directory of the running gateway, which is asked to do "
                             "it (CONFIG_DIR, else ~/.config/lightship)");
  OutboxOrder order;
  std::string outbox_action;
  outbox_command
      ->add_option("action", outbox_action,
                   "retry: offer again what was set aside, behind what waits; discard: delete what "
                   "waits in a queue and what was set aside of it, such as that of a sink that was "
                   "removed; without: show what is there")
      ->check(CLI::IsMember({"retry", "discard"}));
  outbox_command->add_option("queue", order.queue,
                             "its name, such as http/electrical; retry: of all, unless said");
  outbox_command->add_option("--id", order.id, "retry this one only; the list shows the numbers");

  QueryOptions query_options;
  auto* query_command = program.add_subcommand("query", "what the history knows of a point");
  auto* point_option = query_command->add_option(
      "point", query_options.point,
      "full name, main-panel/meter-1/voltage_l1; with * or ? all that fit");
  query_command
      ->add_flag("--packets", query_options.packets, "the packets of the mesh instead of a point")
      ->excludes(point_option);
  query_command->add_option("--from", query_options.from,
                            "2026-01-04T12:00:00Z, 2026-01-04, today or -2h (an hour before --to)");
  query_command->add_option("--to", query_options.to, "the same, not included (now)");
  query_command->add_option(
      "--step", query_options.step,
      "one row for each 15m, 1h, ... of the UTC clock, or raw; absent: raw up to an hour, 1m up to "
      "a day, 1h up to 60 days, else 1d");
  query_command->add_option("--format", query_options.format, "table, csv or json (table)")
      ->check(CLI::IsMember({"table", "csv", "json"}));
  query_command->add_option("--data", typed.data,
                            "data directory (DATA_DIR, else ~/.local/share/lightship)");

  UserOptions user_options;
  auto* user_command = add_user(program, user_options, typed.data);

  auto* version_command = program.add_subcommand("version", "the version");
  version_command->add_flag("--json", typed.json, "print one JSON object");

  // For the build: docs/configuration.md is made by it.
  auto* reference =
      program.add_subcommand("reference", "print the configuration reference as Markdown")
          ->group("");

  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return program.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return program.exit(help);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "lightship: {}\n", error.what());
    std::vector<std::string> commands;
    for (const auto* command : program.get_subcommands([](CLI::App*) { return true; }))
      commands.push_back(command->get_name());
    const auto meant =
        argc > 1 && *argv[1] != '-' && std::ranges::find(commands, argv[1]) == commands.end()
            ? nearest(argv[1], commands)
            : std::nullopt;
    if (meant) fmt::print(stderr, "  did you mean 'lightship {}'?\n", *meant);
    fmt::print(stderr, "  lightship --help tells what there is\n");
    return app::kUsage;
  }
  if (version_flag) return print_version(false);
  if (*version_command) return print_version(typed.json);
  if (*reference) {
    fmt::print("{}{}", kReferenceHead, app::reference_markdown());
    return app::kFine;
  }
  const auto options = run_options(typed);
  if (*run) {
    for (const char* name : {"LOG_LEVEL"}) {
      if (const auto level = environment(name);
          level && typed.level.empty() && !parse_level(*level)) {
        fmt::print(stderr, "lightship: {}='{}' is none of debug, info, warn, error\n", name,
                   *level);
        return app::kUsage;
      }
    }
    const int status = app::run(options);
    if (status == app::kRestart) return start_again(argv);
    // Everything of ours has ended and is on disk. What libraries still do on threads of their own
    // (a TLS handshake with a broker that hangs) must not meet the clearing up of others.
    std::fflush(nullptr);
    std::_Exit(status);
  }
  if (*demo_command) {
    if (!typed.data.empty()) demo_options.data = typed.data;
    if (!typed.portal_root.empty())
      demo_options.portal_root = std::filesystem::absolute(typed.portal_root);
    demo_options.portal_port = portal_port;
    demo_options.gateway_port = gateway_port;
    demo_options.mqtt_port = mqtt_port;
    if (seconds) demo_options.seconds = std::chrono::seconds(*seconds);
    return demo(demo_options);
  }
  if (*check_command) return check(options.config_dir, typed.json);
  if (*outbox_command && !outbox_action.empty()) {
    const bool retry = outbox_action == "retry";
    if (!retry && (order.queue.empty() || order.id != 0)) {
      fmt::print(stderr,
                 "lightship outbox discard: say which QUEUE, and it goes as a whole; lightship "
                 "outbox lists them\n");
      return app::kUsage;
    }
    order.what = retry ? OutboxOrder::What::retry : OutboxOrder::What::discard;
    order.config_dir = options.config_dir;
    order.data_dir = options.data_dir;
    return outbox(order);
  }
  if (*outbox_command) return outbox(options.data_dir, typed.json);
  if (*restart_command) return restart(options.config_dir, part);
  if (*status_command) {
    status_options.data_dir = options.data_dir;
    status_options.json = typed.json;
    return status(status_options);
  }
  if (*user_command) {
    user_options.data_dir = options.data_dir;
    return user(user_options);
  }
  if (*scan_command) return scan(scan_options);
  if (*sniff_command) return sniff(sniff_options);
  if (*query_command) {
    query_options.data_dir = options.data_dir;
    if (query_options.point.empty() && !query_options.packets) {
      fmt::print(stderr,
                 "lightship query: say which POINT, such as main-panel/meter-1/voltage_l1, or "
                 "--packets\n  lightship query --help tells more\n");
      return app::kUsage;
    }
    return query(query_options);
  }
  if (*write_command) {
    write_options.config_dir = options.config_dir;
    write_options.data_dir = options.data_dir;
    write_options.expected = expected;
    write_options.json = typed.json;
    return write(write_options);
  }
  if (*read) {
    by_url.json = by_device.json = typed.json;
    if (!by_url.url.empty()) return read_url(by_url);
    if (by_device.device.empty()) {
      fmt::print(stderr,
                 "lightship read: say what to read: --url URL, or --device CONNECTION/CLIENT\n  "
                 "lightship read --help tells more\n");
      return app::kUsage;
    }
    by_device.config_dir = options.config_dir;
    return read_device(by_device);
  }
  fmt::print(stderr, "{}", program.help());
  return app::kUsage;
}

}  // namespace lightship::cli
