// What all workers know, put together. Used by the proxy, on the control thread.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "proxy/net/worker.hpp"

namespace ambassador::proxy::net {

/// Calls ask(worker, take) for each worker, which calls `take` with its part on its thread; all together come
/// to `done` on the control thread. There is at least one worker.
template <class One, class Ask>
void gather(boost::asio::io_context& control, const std::vector<std::unique_ptr<Worker>>& workers, Ask ask,
            std::function<void(std::vector<One>)> done) {
  struct Gathered {
    std::function<void(std::vector<One>)> done;
    std::size_t missing = 0;
    std::vector<One> all{};
  };
  const auto gathered = std::make_shared<Gathered>(Gathered{std::move(done), workers.size()});
  for (const auto& worker : workers) {
    ask(*worker, [&control, gathered](std::vector<One> part) {
      boost::asio::post(control, [gathered, part = std::move(part)]() mutable {
        std::move(part.begin(), part.end(), std::back_inserter(gathered->all));
        if (--gathered->missing == 0) gathered->done(std::move(gathered->all));
      });
    });
  }
}

}  // namespace ambassador::proxy::net
