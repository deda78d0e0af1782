// Asks for a write and tells how it ended.
#include "cli/write.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "app/app.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "cli/control.h"
#include "cli/write_direct.h"
#include "codec/modbus/exception.h"
#include "core/request.h"

namespace lightship::cli {
namespace {

using namespace std::chrono_literals;

struct Ending {
  const char* kind;
  int status;
};

Ending ending_of(const Error& error) {
  switch (error.code) {
    case Errc::invalid:
      switch (error.detail) {
        case kWriteNotAllowed:
        case kWriteClosed:
          return {"not_allowed", app::kConfig};
        case kWriteTooOften:
          return {"too_often", app::kTemporary};
        case kWriteNotExpected:
          return {"not_expected", app::kTemporary};
        default:
          return {"invalid", app::kUsage};
      }
    case Errc::refused:
      return {"exception", app::kTemporary};
    case Errc::malformed:
      return {"mismatch", app::kTemporary};
    case Errc::crc:
      return {"crc", app::kUnavailable};
    case Errc::timeout:
      return {"timeout", app::kUnavailable};
    default:
      return {error.detail == EBUSY || error.detail == EACCES || error.detail == EPERM ? "refused"
                                                                                       : "connect",
              app::kUnavailable};
  }
}

int tell_error(const Error& error, bool as_json) {
  const auto [kind, status] = ending_of(error);
  const bool exception = error.code == Errc::refused;
  if (as_json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().key("error").begin_object().member("kind", kind);
    if (exception) json.member("exception", error.detail);
    json.member("message", error.text).end_object().end_object();
    fmt::print("{}\n", text);
  } else {
    fmt::print(stderr, "lightship write: {}\n", error.text);
    if (exception) fmt::print(stderr, "  {}\n", modbus::advice(error.detail));
  }
  return status;
}

// A finished reply as JSON text: of the gateway, or made here.
Result<std::string> through(RunningGateway& gateway, const DeviceTarget& target,
                            const WriteOptions& options) {
  boost::json::object command{{"do", "write"},
                              {"device", target.setup.info.id()},
                              {"point", options.point},
                              {"value", options.value},
                              {"timeout_ms", options.timeout / 1ms}};
  if (options.expected) command["expected"] = *options.expected;
  return gateway.ask(command, options.timeout + 2s);
}

std::string shown(const boost::json::object& reply, std::string_view key) {
  const auto* value = reply.if_contains(key);
  if (value == nullptr || value->is_null()) return "nothing that can be read";
  if (value->is_string()) return std::string(value->get_string());
  std::string text;
  if (value->is_double()) append_number(text, Real{value->get_double(), Real::kShortest});
  return text.empty() ? boost::json::serialize(*value) : text;
}

}  // namespace

int write(const WriteOptions& options) {
  int status = app::kFine;
  const auto target = find_device(options.config_dir, options.device, "write", status);
  if (!target) return status;
  if (target->point(options.point) == nullptr) {
    fmt::print(stderr, "lightship write: {}\n", target->no_point(options.point));
    return app::kUsage;
  }
  Result<std::string> reply = fail(Errc::unavailable, "not asked");
  if (auto gateway = RunningGateway::find(options.config_dir))
    reply = through(*gateway, *target, options);
  else
    reply = write_direct(*target, options);
  if (!reply) return tell_error(reply.error(), options.json);
  if (options.json) {
    fmt::print("{}\n", *reply);
    return app::kFine;
  }
  boost::system::error_code ignored;
  const auto parsed = boost::json::parse(*reply, ignored);
  const auto& object = parsed.get_object();
  fmt::print("{}/{}: {} was {}, in {} ms\n", target->setup.info.id(), options.point,
             object.contains("now") && !object.at("now").is_null() ? shown(object, "now")
                                                                   : shown(object, "value"),
             shown(object, "before"), shown(object, "duration_ms"));
  return app::kFine;
}

}  // namespace lightship::cli
