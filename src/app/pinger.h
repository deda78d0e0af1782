// ICMP echoes for the portal: the codec on the socket.
#pragma once

#include "portal/diag/ping.h"

namespace lightship::app {

portal::OpenPing make_pinger(Clock& clock);

}  // namespace lightship::app
