// Which lines of the log somebody wants to see.
//
// The same rules as in the page (web/src/pages/logs/filter.ts): a line's text is its source, its
// event and its fields as name=value, and case does not matter. Expressions are RE2's: it needs
// time in proportion to the text whatever the expression, where a backtracking engine takes for
// ever over (a+)+$ and std::regex overflows the stack.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/log_ring.h"
#include "base/result.h"

namespace re2 {
class RE2;
}

namespace lightship::portal {

struct LogWanted {
  Level least = Level::debug;
  std::string component;  // "modbus", or all of a source: "modbus/main-panel"
  std::string device;     // a part of its name
  std::string text;
  bool regex = false;
};

class LogFilter {
 public:
  static constexpr std::size_t kMostText = 200;
  // RE2's time is that of the text times this.
  static constexpr int kMostProgram = 1000;

  // Errc::invalid: the text is no expression; says what is wrong with it. To be called on a worker:
  // an expression can take a millisecond.
  static Result<LogFilter> make(LogWanted wanted);

  bool keeps(const LogLine& line) const;

 private:
  explicit LogFilter(LogWanted wanted) : wanted_(std::move(wanted)) {}
  LogWanted wanted_;
  std::shared_ptr<const re2::RE2> expression_;
};

// "panel/m1 device is silent why=no answer n=3": what is searched.
std::string words_of(const LogLine& line);

// LogLine of web/src/api/types.ts.
void append_json(std::string& out, const LogLine& line);

}  // namespace lightship::portal
