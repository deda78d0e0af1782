// What somebody who only listens hears on a serial line: requests, answers, damaged frames, noise.
//
// Pure. Times count from whatever moment the caller counts from.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "codec/modbus/request.h"

namespace lightship::modbus {

struct Overheard {
  enum class Kind {
    request,
    answer,
    damaged,  // it begins as a frame does, and its check does not match
    noise     // part of no frame
  };
  // What an answer is to the request before it.
  enum class Fit {
    good,     // it is the answer, or an exception to it
    wrong,    // of the asked unit and function, but not what was asked: late, or of a second device
    unasked,  // nobody was heard asking this
  };

  Kind kind = Kind::noise;
  std::chrono::nanoseconds begin{};  // the first bit
  std::chrono::nanoseconds end{};    // the last one
  std::chrono::nanoseconds gap{};    // silence before it; 0 before the first of all
  ByteVector bytes;                  // as on the line, its check included

  // Of frames; of damaged ones as far as it can be believed.
  std::uint8_t unit = 0;
  ByteVector pdu;
  // What is asked, or what is answered. Nothing where the request is an impossible one (a count of
  // 0), of an unknown function, or was not heard.
  std::optional<Request> request;
  Fit fit = Fit::unasked;
  bool repeated = false;  // the request before, again, without an answer between the two
  std::optional<std::chrono::nanoseconds> answer_time;  // from the end of its request

  bool is_frame() const { return kind == Kind::request || kind == Kind::answer; }
  bool is_exception() const {
    return kind == Kind::answer && pdu.size() == 2 && (pdu[0] & kExceptionBit) != 0;
  }
};

std::string_view to_string(Overheard::Kind kind);
std::string_view to_string(Overheard::Fit fit);

}  // namespace lightship::modbus
