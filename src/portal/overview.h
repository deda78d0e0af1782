// One glance: is everything polled, is everything delivered? In a sentence, its reasons and a cell
// for each kind of source.
#pragma once

#include <string>
#include <vector>

#include "core/view.h"

namespace lightship::portal {

struct Overview {
  enum class State { good, warning, alarm, stale };
  struct Cell {
    std::string type, title;
    std::size_t good = 0, all = 0;
    State state = State::good;
    std::string note;
    std::string page;
  };
  State state = State::good;  // never stale
  std::string headline;
  std::vector<std::string> reasons;  // worst first
  std::vector<Cell> sources;
};

Overview overview_of(const View& view);

std::string_view to_string(Overview::State state);

}  // namespace lightship::portal
