// How a failed read is told.
#include "cli/read_error.h"

#include <cerrno>

#include "app/app.h"
#include "base/json_writer.h"
#include "codec/modbus/exception.h"

namespace lightship::cli {
namespace {

const char* kind_of(const Error& error, bool connected) {
  if (!connected)
    return error.detail == EBUSY || error.detail == EACCES || error.detail == EPERM ||
                   error.detail == EWOULDBLOCK
               ? "refused"
               : "connect";
  switch (error.code) {
    case Errc::refused:
      return "exception";
    case Errc::crc:
    case Errc::malformed:
      return "crc";
    case Errc::timeout:
      return "timeout";
    default:
      return "connect";
  }
}

}  // namespace

int tell_read_error(const Error& error, bool connected, bool json) {
  const bool exception = connected && error.code == Errc::refused;
  if (json) {
    std::string text;
    JsonWriter writer(text);
    writer.begin_object().key("error").begin_object().member("kind", kind_of(error, connected));
    if (exception) writer.member("exception", error.detail);
    writer.member("message", error.text).end_object().end_object();
    fmt::print("{}\n", text);
  } else {
    fmt::print(stderr, "lightship read: {}\n", error.text);
    if (exception) fmt::print(stderr, "  {}\n", modbus::advice(error.detail));
  }
  return exception ? app::kTemporary : app::kUnavailable;
}

}  // namespace lightship::cli
