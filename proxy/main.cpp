#include <cstdio>
#include <exception>

#include "proxy/app/command_line.hpp"

int main(int argc, char** argv) {
  try {
    return ambassador::proxy::app::command_line(argc, argv, {AMBASSADOR_VERSION, AMBASSADOR_COMMIT});
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "ambassador-proxy: %s\n", problem.what());
    return 1;
  }
}
