#include "proxy/app/main.hpp"

int main(int argc, char** argv) {
  return ambassador::proxy::app::main(argc, argv, {AMBASSADOR_VERSION, AMBASSADOR_COMMIT});
}
