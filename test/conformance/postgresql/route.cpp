// For test_route.py: SQL texts on standard input, each ended by a zero byte; a line of what RouteScan says of
// each on standard output.
#include <iostream>
#include <string>

#include "proxy/postgresql/route_scan.hpp"

int main() {
  using namespace ambassador::proxy::postgresql;
  std::ios::sync_with_stdio(false);
  RouteScan scan;
  for (std::string text; std::getline(std::cin, text, '\0');) {
    scan.begin(Strings::standard);
    scan.feed(text);
    switch (scan.end()) {
      case Route::primary:
        std::cout << "primary\n";
        break;
      case Route::replica:
        std::cout << "replica\n";
        break;
      case Route::replica_transaction:
        std::cout << "replica_transaction\n";
        break;
    }
  }
  return 0;
}
