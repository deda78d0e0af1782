// lightship status: what the running gateway says of itself.
#pragma once

#include <filesystem>
#include <string>

namespace lightship::cli {

struct StatusOptions {
  std::string url;                   // empty: the one in DATA_DIR/portal.url, else port 8080 here
  std::filesystem::path data_dir;    // where portal.url lies
  std::filesystem::path token_file;  // an API token; empty: LIGHTSHIP_TOKEN
  std::filesystem::path ca_file;     // whom to trust over HTTPS
  bool json = false;
};

// A gateway of this machine and this user needs no token.
int status(StatusOptions options);

}  // namespace lightship::cli
