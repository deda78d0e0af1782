// Which frame is a request and which an answer, for somebody who only listens.
//
// Both look alike: function 1 with three bytes of data is as long as its request, and functions 5,
// 6, 8 and 22 are answered with the request itself. So the direction follows from what was asked
// before. Pure. Modbus over Serial Line V1.02, 2.2 (one request at a time).
#pragma once

#include "codec/modbus/overheard.h"

namespace lightship::modbus {

class Pairing {
 public:
  // Takes a whole frame with a good check (unit, pdu, begin and end are set) and says what it is.
  void judge(Overheard& frame);

  // Whether an answer of this unit and function is awaited.
  bool awaits(std::uint8_t unit, std::uint8_t function) const;

 private:
  struct Asked {
    std::uint8_t unit;
    ByteVector pdu;
    std::optional<Request> request;
    std::chrono::nanoseconds end;
  };
  void take_request(Overheard& frame, std::optional<Request> request);
  void take_answer(Overheard& frame, Overheard::Fit fit);

  std::optional<Asked> open_;
};

}  // namespace lightship::modbus
