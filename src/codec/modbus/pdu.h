// Requests and replies of Modbus, without what carries them.
#pragma once

#include "codec/modbus/reply.h"    // IWYU pragma: export
#include "codec/modbus/request.h"  // IWYU pragma: export
