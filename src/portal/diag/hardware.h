// What this machine is: board, processor, system, its serial ports and GPIO chips.
#pragma once

#include "link/serial_ports.h"
#include "portal/diag/figures.h"

namespace lightship::portal {

struct Cpu {
  std::string model, architecture;
  unsigned cores = 0;
  std::optional<double> frequency_mhz;
};
// `machine`: as uname(2) has it.
Cpu cpu(const SysTree& tree, std::string machine);

// From the device tree (small boards) or from DMI (PCs and virtual machines); empty: not told.
std::string board(const SysTree& tree);

std::string os_name(const SysTree& tree);  // PRETTY_NAME of os-release(5)

struct Kernel {
  std::string release, machine;
};
Kernel kernel();

struct GpioChip {
  std::string chip, label;
  unsigned lines = 0;
};
// From /dev/gpiochip* where we may ask them, else from what /sys says. Nothing is claimed or
// exported.
std::vector<GpioChip> gpio_chips(const SysTree& tree);

}  // namespace lightship::portal
