// Changes the users' file, which a running gateway looks at every second.
#include "cli/user.h"

#include <iostream>

#include <unistd.h>
#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "app/app.h"
#include "base/json_writer.h"
#include "cli/typed_password.h"
#include "core/audit.h"
#include "portal/auth/password.h"
#include "portal/auth/user_file.h"

namespace lightship::cli {
namespace {

using portal::Role;
using portal::UserFile;
using portal::UserList;
using What = UserOptions::What;

std::string_view word(What what) {
  switch (what) {
    case What::add:
      return "add";
    case What::passwd:
      return "passwd";
    case What::remove:
      return "remove";
    case What::list:
      return "list";
  }
  return "list";
}

int tell(const UserOptions& options, const Error& error) {
  fmt::print(stderr, "lightship user {}: {}\n", word(options.what), error.text);
  return error.code == Errc::invalid ? app::kUsage : app::kUnavailable;
}

// A damaged file is nobody's wrong usage.
int tell_file(const UserOptions& options, Error error) {
  error.code = Errc::unavailable;
  return tell(options, error);
}

int list(const UserOptions& options, const UserFile& file) {
  const auto content = file.read();
  if (!content) return tell_file(options, content.error());
  const auto users = *content ? (*content)->list.users : std::vector<portal::User>{};
  if (options.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().key("users").begin_array();
    for (const auto& one : users) {
      json.begin_object().member("name", one.name).member("role", portal::to_string(one.role));
      json.member("created", to_rfc3339(one.created));
      json.member("must_change_password", one.must_change_password).end_object();
    }
    json.end_array().end_object();
    fmt::print("{}\n", text);
    return app::kFine;
  }
  if (users.empty()) {
    fmt::print(stderr,
               "no users in {}: at its first start the gateway makes admin and prints the "
               "password\n",
               options.data_dir.string());
    return app::kFine;
  }
  fmt::print("{:<24} {:<10} {:<25} {}\n", "NAME", "ROLE", "CREATED", "PASSWORD");
  for (const auto& one : users) {
    fmt::print("{:<24} {:<10} {:<25} {}\n", one.name, portal::to_string(one.role),
               to_rfc3339(one.created), one.must_change_password ? "must be changed" : "set");
  }
  return app::kFine;
}

Task<void> record(Audit& audit, const UserOptions& options) {
  const auto members = [&](JsonWriter& json) {
    json.member("about", options.name);
    if (options.what == What::add) json.member("role", options.role);
    json.member("by", fmt::format("command line, uid {} pid {}", ::getuid(), ::getpid()));
  };
  const auto* event = options.what == What::add      ? "user-added"
                      : options.what == What::remove ? "user-removed"
                                                     : "password-set";
  auto recording = audit.record(event, members, Audit::Durability::synced);
  (void)co_await std::move(recording);  // told on stderr where it cannot be written
}

void tell_the_audit(const UserOptions& options) {
  asio::io_context loop{1};
  SystemClock clock;
  Logbook logbook{clock, stderr, Logbook::Form::text, Level::warn};
  AuditFile audit(clock, logbook, options.data_dir / "audit.jsonl");
  asio::co_spawn(loop, record(audit, options), [](std::exception_ptr why) {
    if (why) std::rethrow_exception(why);
  });
  loop.run();
  audit.stop();
  logbook.flush(true);
}

// What is wrong with the name and the role is said before anybody types a password.
Result<void> may_be(const UserOptions& options, const UserFile& file) {
  auto known = file.read();
  if (!known) return fail(Errc::unavailable, "{}", known.error().text);
  auto list = *known ? std::move((*known)->list) : UserList{};
  switch (options.what) {
    case What::add:
      return list.add(portal::new_user(options.name, Role::viewer, "", Time{}, false));
    case What::passwd:
      return list.set_password(options.name, "", false);
    default:
      return {};
  }
}

Result<UserFile::Change> the_change(const UserOptions& options) {
  if (options.what == What::remove)
    return [name = options.name](UserList& list) { return list.remove(name); };
  const auto password = options.password_stdin ? password_from_stdin() : password_from_terminal();
  if (!password) return fail(password.error());
  if (const auto weakness = portal::weakness_of(*password, options.name))
    return fail(Errc::invalid, "{}", *weakness);
  auto hash = portal::hash_password(*password);
  if (!hash) return fail(hash.error());
  if (options.what == What::passwd) {
    return [name = options.name, hash = *hash, must = options.must_change](UserList& list) {
      return list.set_password(name, hash, must);
    };
  }
  const SystemClock clock;
  const auto role = portal::parse_role(options.role);
  auto user = portal::new_user(options.name, *role, *hash, clock.now(), options.must_change);
  return [user](UserList& list) { return list.add(user); };
}

}  // namespace

CLI::App* add_user(CLI::App& program, UserOptions& options, std::string& data) {
  auto* command = program.add_subcommand("user", "who may log in to the portal");
  command->require_subcommand(1);
  const auto action = [&](What what, const char* help) {
    auto* one = command->add_subcommand(std::string(word(what)), help);
    one->callback([&options, what] { options.what = what; });
    if (what != What::list) one->add_option("NAME", options.name, "the user's name")->required();
    one->add_option("--data", data,
                    "data directory of the gateway, which may be running (DATA_DIR, else "
                    "~/.local/share/lightship)");
    return one;
  };
  const auto with_password = [&](CLI::App* one) {
    one->add_flag("--password-stdin", options.password_stdin,
                  "read the password from the first line of stdin instead of asking twice");
    one->add_flag("--must-change", options.must_change,
                  "the password is a first one, to be changed at the next log-in");
  };
  auto* add = action(What::add, "add a user");
  add->add_option("--role", options.role,
                  "viewer sees; operator also acknowledges, writes and restarts parts; admin also "
                  "configures and manages users")
      ->required()
      ->check(CLI::IsMember({"viewer", "operator", "admin"}));
  with_password(add);
  with_password(action(What::passwd, "set another password; sessions and tokens of the user end"));
  action(What::remove, "remove a user; sessions and tokens of the user end");
  action(What::list, "who there is")->add_flag("--json", options.json, "print one JSON object");
  command->footer(
      "A running gateway takes a change within a second. Exit status: 64 wrong usage, a weak "
      "password or a user\nwho is not there or cannot go; 69 a users.json that cannot be read or "
      "written.");
  return command;
}

int user(const UserOptions& options) {
  const UserFile file(options.data_dir / "users.json");
  if (options.what == What::list) return list(options, file);
  if (const auto possible = may_be(options, file); !possible)
    return tell(options, possible.error());
  if (options.what == What::add) {
    std::error_code failed;
    std::filesystem::create_directories(options.data_dir, failed);
    if (failed) {
      return tell(options, Error{Errc::unavailable,
                                 fmt::format("cannot make {}: {}", options.data_dir.string(),
                                             failed.message())});
    }
  }
  auto change = the_change(options);
  if (!change) return tell(options, change.error());
  // What the list itself refuses is wrong usage; a file that cannot be had is not.
  bool refused = false;
  const auto guarded = [&](UserList& users) -> Result<void> {
    auto done = (*change)(users);
    refused = !done;
    return done;
  };
  const auto missing =
      options.what == What::add ? UserFile::Missing::is_empty : UserFile::Missing::is_wrong;
  const auto changed = file.change(guarded, missing);
  if (!changed)
    return refused ? tell(options, changed.error()) : tell_file(options, changed.error());
  tell_the_audit(options);
  switch (options.what) {
    case What::add:
      fmt::print("{} may log in as {}\n", options.name, options.role);
      break;
    case What::passwd:
      fmt::print("{} has another password; sessions and tokens with the old one end\n",
                 options.name);
      break;
    default:
      fmt::print("{} is removed\n", options.name);
  }
  if (!changed->list.another_admin("")) {
    fmt::print(stderr,
               "no user is an administrator yet: lightship user add NAME --role admin makes one\n");
  }
  return app::kFine;
}

}  // namespace lightship::cli
