// The terminal as a screen: its other page, no cursor, no echo of keys; all given back at the end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <termios.h>

#include "cli/demo/picture.h"

namespace lightship::cli {

// Whether stdout is a terminal that can be drawn on.
bool has_screen();

class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  Look look() const;                                 // of this moment
  bool show(const std::vector<std::string>& lines);  // false: the terminal is gone
  std::optional<char> key();                         // that was pressed

 private:
  std::optional<termios> keyboard_;  // as it was
};

}  // namespace lightship::cli
