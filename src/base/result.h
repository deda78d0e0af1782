// What the outside world did, as a value: Result<T> is a T or an Error.
//
// Cancellation and failed start-up are exceptions; everything a peer, a file or a user can do wrong
// is one of these. Each layer adds only what it alone knows: `fail` makes an error, `within`
// prefixes the text with the place where it happened.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace lightship {

enum class Errc {
  incomplete,   // more bytes may still make it right
  malformed,    // nothing will
  crc,          // a checksum does not match
  refused,      // the peer understood and said no (a Modbus exception, an MQTT refusal)
  timeout,      // no answer within the limit
  closed,       // the peer or the line went away
  unavailable,  // a thing that is needed is not there: port, file, name, permission
  invalid,      // what was asked makes no sense
  cancelled,    // we were told to stop
};

std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::invalid;
  std::string text;  // what was found and what was expected, for people
  int detail = 0;  // the peer's own code where there is one (Modbus exception, errno, MQTT reason)
};

template <class T>
using Result = std::expected<T, Error>;

template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(Errc code, fmt::format_string<Args...> format,
                                          Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...), 0});
}

[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

// The same error, with the place in front: "tcp://127.0.0.1:502: connection refused".
[[nodiscard]] std::unexpected<Error> within(std::string_view place, Error error);

}  // namespace lightship
