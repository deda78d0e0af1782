// Baud rates that have no name in termios, through the kernel's termios2.
//
// Apart from serial.cpp because <asm/termbits.h> and <termios.h> cannot be included together.
#pragma once

#include "base/result.h"

namespace lightship::link {

// Sets the rate and returns what the driver made of it.
Result<unsigned> set_custom_rate(int fd, unsigned baud);

// What the driver says the rate is.
Result<unsigned> rate_of(int fd);

}  // namespace lightship::link
