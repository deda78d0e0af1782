// The program: hands the command line to cli and returns its exit status.
#include "cli/cli.h"

int main(int argc, char** argv) { return lightship::cli::main(argc, argv); }
