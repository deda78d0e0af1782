// lightship user: who may log in to the portal, also while the gateway runs.
#pragma once

#include <filesystem>
#include <string>

namespace CLI {
class App;
}

namespace lightship::cli {

struct UserOptions {
  enum class What { add, passwd, remove, list } what = What::list;
  std::string name, role;
  bool password_stdin = false, must_change = false, json = false;
  std::filesystem::path data_dir;
};
// `data`: where the command line puts --data.
CLI::App* add_user(CLI::App& program, UserOptions& options, std::string& data);
int user(const UserOptions& options);

}  // namespace lightship::cli
