// Starts this program again in its own place: same process, same arguments, same output.
#pragma once

namespace lightship::cli {

// Replaces the running program by the file it was started from, which may be a newer one by now.
// Returns only where that is not possible: with an exit status, after saying why.
int start_again(char** argv);

}  // namespace lightship::cli
