// Listens on an open line and tells what is heard, frame by frame. Never writes.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "codec/modbus/listener.h"
#include "link/byte_line.h"
#include "link/serial_settings.h"

namespace lightship::poller {

enum class Framing { rtu, ascii };

// `settings`: nothing where the line is no serial port and its times say nothing.
std::unique_ptr<modbus::Listener> make_listener(Framing framing,
                                                const link::SerialSettings* settings);

using TakeHeard = std::function<void(const modbus::Overheard&)>;

// Until `until` (timeout), or until the line is gone or closed (closed). Times count from `origin`.
Task<Error> listen(link::ByteLine& line, Clock& clock, modbus::Listener& listener, MonoTime origin,
                   MonoTime until, const TakeHeard& take);

}  // namespace lightship::poller
