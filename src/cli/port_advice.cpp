// Advice about ports that somebody else holds.
#include "cli/port_advice.h"

namespace lightship::cli {

std::string port_advice(const Error& error, bool only_listens) {
  const bool held = error.text.find("holds the port") != std::string::npos;
  if (!held) return {};
  const bool gateway = error.text.find("lightship run") != std::string::npos ||
                       error.text.find("lightship demo") != std::string::npos;
  std::string text = gateway
                         ? "  that is a running gateway: stop it for so long (systemctl stop "
                           "lightship), or ask it what it knows (lightship status)\n"
                         : "  two programs on one port disturb each other: end that one first\n";
  if (only_listens)
    text += "  or listen through a second adapter on the same two wires, which disturbs nobody\n";
  return text;
}

}  // namespace lightship::cli
