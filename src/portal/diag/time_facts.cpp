// /etc/localtime, /run and adjtimex(2); no process is started.
#include "portal/diag/time_facts.h"

#include <sys/timex.h>

namespace lightship::portal {

std::optional<bool> kernel_clock_synchronised() {
  timex told{};
  const int state = ::adjtimex(&told);
  if (state < 0) return std::nullopt;
  return state != TIME_ERROR && (told.status & STA_UNSYNC) == 0;
}

TimeFacts time_facts(const SysTree& tree, std::optional<bool> kernel_says) {
  TimeFacts facts;
  const auto link = tree.target("/etc/localtime");
  constexpr std::string_view kZones = "zoneinfo/";
  if (const auto at = link.find(kZones); at != std::string::npos)
    facts.zone = link.substr(at + kZones.size());
  if (facts.zone.empty()) facts.zone = tree.line("/etc/timezone");
  if (facts.zone.empty()) facts.zone = "UTC";

  struct Sign {
    const char *file, *who;
  };
  constexpr Sign kSigns[] = {{"/run/chrony/chronyd.pid", "chrony"},
                             {"/run/chrony/chronyd.sock", "chrony"},
                             {"/run/ntpd.pid", "ntpd"},
                             {"/run/ntpsec/ntpd.pid", "ntpsec"},
                             {"/run/openntpd.pid", "openntpd"},
                             {"/run/ptp4l", "ptp4l"},
                             {"/run/systemd/timesync", "systemd-timesyncd"}};
  for (const auto& sign : kSigns) {
    if (!tree.exists(sign.file)) continue;
    facts.source = sign.who;
    break;
  }
  facts.synchronised = kernel_says;
  // timesyncd makes this file when it has set the clock since boot.
  if (facts.source == "systemd-timesyncd")
    facts.synchronised =
        tree.exists("/run/systemd/timesync/synchronized") || kernel_says.value_or(false);
  // These may keep the clock right without telling the kernel (chrony without rtcsync).
  else if (!facts.source.empty() && kernel_says == false)
    facts.synchronised.reset();
  return facts;
}

}  // namespace lightship::portal
