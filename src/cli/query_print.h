// The three forms of an answer of `lightship query`. Rows are written as they come.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/history/types.h"

namespace lightship::cli {

struct QueryHead {
  history::Series series;
  history::Millis step = 0;  // of the rows; 0: raw values
  history::Millis from = 0, to = 0;
};

class QueryPrinter {
 public:
  virtual ~QueryPrinter() = default;
  virtual void begin(const QueryHead& head) = 0;
  virtual void row(const history::Sample& sample) = 0;
  virtual void row(const history::Rollup& rollup) = 0;
  virtual void end(const std::vector<history::CounterEvent>& events) = 0;
  virtual void finish() {}
};

// "table", "csv" or "json". `several`: more than one series follows.
std::unique_ptr<QueryPrinter> make_printer(const std::string& format, bool several);

}  // namespace lightship::cli
