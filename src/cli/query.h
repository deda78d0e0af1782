// `lightship query`: what the history knows of points, as a table, CSV or JSON.
#pragma once

#include <filesystem>
#include <string>

namespace lightship::cli {

struct QueryOptions {
  std::string point, from, to, step, format = "table";
  bool packets = false;
  std::filesystem::path data_dir;
};

int query(const QueryOptions& options);

}  // namespace lightship::cli
