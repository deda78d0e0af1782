// Rows of the history as CSV (RFC 4180: CRLF, quotes doubled): the same from the command line and
// from the portal.
#pragma once

#include <string>

#include "store/history/types.h"

namespace lightship::history {

// "good", or why not.
std::string quality(const Sample& sample);
// A window that is not whole says why, where something was heard; else there was nobody to say it.
std::string quality(const Rollup& rollup, double coverage_percent);

// The numbers of a roll-up with the digits that they are shown with; nothing where it has no value.
Value shown(const Rollup& rollup, double number);
Value shown_average(const Rollup& rollup);
Value shown_increase(const Series& series, const Rollup& rollup);  // nothing where it is no counter

void append_csv_head(std::string& out, bool raw);
void append_csv(std::string& out, const Series& series, const Sample& sample);
void append_csv(std::string& out, const Series& series, Millis step, const Rollup& rollup);

}  // namespace lightship::history
