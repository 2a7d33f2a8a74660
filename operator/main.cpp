#include <cstdio>

#include "operator/app/options.hpp"
#include "operator/app/program.hpp"

int main(int argc, char** argv) {
  auto parsed = ambassador::app::parse_options(argc, argv, AMBASSADOR_VERSION " (" AMBASSADOR_COMMIT ")");
  if (!parsed.options) {
    std::fputs(parsed.text.c_str(), parsed.exit_code == 0 ? stdout : stderr);
    return parsed.exit_code;
  }
  return ambassador::app::run(*parsed.options);
}
