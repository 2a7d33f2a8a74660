#include "proxy/tcp/core.hpp"

namespace ambassador::proxy::tcp {
namespace {

// Whatever the client sends belongs to one exchange without end.
class TcpSession final : public Session {
 public:
  Verdict on_client(std::span<const char> input) override {
    return {.kind = Verdict::Kind::pass, .consumed = input.size(), .more = kForever};
  }
  void merge(std::span<const Part> /*parts*/, std::string& /*out*/) override {}  // never gathers
  bool fail(Failure /*failure*/, std::string_view /*backend_name*/, std::string_view /*reason*/,
            std::string& /*out*/) override {
    return false;  // TCP has no error reply: the connection is closed
  }
};

// Whatever the server sends belongs to the client; it never ends.
class TcpFramer final : public Framer {
 public:
  Frame next(std::span<const char> input) override { return {.bytes = input.size()}; }
};

class TcpCore final : public ProtocolCore {
 public:
  TcpCore(std::size_t backends, const Availability& availability)
      : backends_(backends), availability_(availability) {}

  [[nodiscard]] bool shares_lanes() const override { return false; }
  [[nodiscard]] std::size_t max_message() const override { return kReadAhead; }
  [[nodiscard]] std::unique_ptr<Session> new_session(KeyWatch& /*watch*/) const override {
    return std::make_unique<TcpSession>();
  }
  [[nodiscard]] std::unique_ptr<Framer> new_framer(LaneKind /*kind*/) const override {
    return std::make_unique<TcpFramer>();
  }
  void rebind(Session& /*session*/) const override {}  // a client stays on its connection

  [[nodiscard]] BackendIndex choose(std::span<const std::uint32_t> open_connections) const override {
    BackendIndex best = kNoBackend;
    for (BackendIndex i = 0; i < backends_ && i < open_connections.size(); ++i) {
      if (!availability_.usable(i)) continue;
      if (best == kNoBackend || open_connections[i] < open_connections[best]) best = i;
    }
    return best;
  }

  [[nodiscard]] std::string_view probe_request() const override { return {}; }  // connecting is the probe
  [[nodiscard]] Health probe_reply(std::string_view /*bytes*/) const override { return Health::healthy; }

 private:
  // A session never says need_more; this is what may wait while the backend's connection is being made.
  static constexpr std::size_t kReadAhead = std::size_t{64} << 10;

  const std::size_t backends_;
  const Availability& availability_;
};

}  // namespace

std::shared_ptr<const ProtocolCore> make_core(const config::Listener& listener,
                                              const Availability& availability) {
  return std::make_shared<const TcpCore>(listener.backends.size(), availability);
}

}  // namespace ambassador::proxy::tcp
