// The command line: one file per subcommand, parsed here.
#pragma once

namespace lightship::cli {

// Returns the exit status (app/app.h, Exit).
int main(int argc, char** argv);

}  // namespace lightship::cli
