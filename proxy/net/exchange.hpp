// One place in the order of replies that a client will see, and what is kept for it until its turn comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/slices.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

/// The asks of one gathered exchange.
struct Group {
  struct Ask {
    BackendIndex backend = kNoBackend;
    std::string backend_name;
    bool done = false;
    bool failed = false;
    Failure failure = Failure::lost;
    std::string reason;
    Slices reply;
  };
  std::vector<Ask> asks;
  std::size_t missing = 0;  // asks that are not done
  bool closed = false;      // Verdict::gather was given
};

/// What the error reply of a pass tells.
struct Failed {
  std::string backend_name;
  std::string reason;  // of Failure::refused
};

struct Exchange {
  enum class Kind : std::uint8_t {
    pass,    // one lane's reply, streamed when it is this exchange's turn
    gather,  // merged from a group
    answer,  // `kept` is the reply
    close,   // `kept` goes out, then the client is closed
  };
  Kind kind = Kind::pass;
  bool done = false;
  bool failed = false;
  bool patient = false;  // the server may take its time
  bool begun =
      false;  // some of the reply has gone to the client: it can only be finished, or the client closed
  Failure failure = Failure::lost;
  Slices kept;                      // what came before its turn
  std::unique_ptr<Group> group;     // gather
  std::unique_ptr<Failed> details;  // of a failed pass; null: nothing is known

  void open(Kind as) {
    kind = as;
    done = failed = patient = begun = false;
  }
  void reset() {
    kept.clear();
    group.reset();
    details.reset();
  }
};

}  // namespace ambassador::proxy::net
