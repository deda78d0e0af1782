// What a scanner of answers has found so far, on any kind of serial line.
#pragma once

#include "base/bytes.h"

namespace lightship::modbus {

struct Scan {
  enum class Kind {
    need_more,     // go on reading until the time-out
    reply,         // the answer (or an exception): decode_reply will say which
    wrong_length,  // an answer with a good check, of the asked unit and function, but not as long:
                   // ask again at once
  } kind = Kind::need_more;
  Bytes pdu;  // valid until the scanner is fed again or gone
};

// Whether the line gives back what is written to it. Where an answer may be equal to its request
// (functions 5, 6, 8, 21, 22), only `always` can tell an echo from the answer.
enum class Echo { unknown, always };

}  // namespace lightship::modbus
