#include "common/dns/resolver.hpp"

#include <netdb.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fstream>
#include <list>
#include <optional>
#include <utility>

#include "common/dns/channel.hpp"
#include "common/dns/records.hpp"

namespace ambassador::dns {
namespace {

/// When resolv.conf was last written, or nothing when it is not there. A replaced file has another inode.
struct FileStamp {
  ino_t inode = 0;
  timespec changed{};
  static std::optional<FileStamp> of(const std::string& path) {
    struct stat about {};
    if (stat(path.c_str(), &about) != 0) return std::nullopt;
    return FileStamp{about.st_ino, about.st_mtim};
  }
  friend bool operator==(const FileStamp& a, const FileStamp& b) {
    return a.inode == b.inode && a.changed.tv_sec == b.changed.tv_sec &&
           a.changed.tv_nsec == b.changed.tv_nsec;
  }
};

constexpr const char* kSystemResolvConf = "/etc/resolv.conf";

std::vector<std::string> nameservers_of(const std::string& path) {
  std::vector<std::string> servers;
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    if (word == "nameserver" && file >> word) servers.push_back(word);
  }
  return servers;
}

/// One question under way. c-ares holds a pointer to it until it calls back, which it always does.
template <class Answer>
struct Query {
  std::string name;
  std::function<void(Answer)> done;  // empty once called or dropped
  std::shared_ptr<Channel> channel;
  std::unique_ptr<boost::asio::steady_timer> deadline;
  std::shared_ptr<Query> self;  // what c-ares' pointer keeps alive

  /// Calls back from the event loop, once.
  void finish(boost::asio::io_context& io, Answer answer) {
    if (!done) return;
    if (deadline) deadline->cancel();
    boost::asio::post(
        io, [owner = owner_alive, f = std::exchange(done, nullptr), a = std::move(answer)]() mutable {
          if (!owner.expired()) f(std::move(a));
        });
  }
  std::weak_ptr<void> owner_alive;  // the Resolver: gone = callbacks are dropped
};

/// c-ares 1.18 asks DNS for IPv4 literals.
template <class Answer>
std::optional<Answer> answer_to_literal(const std::string& name) {
  if constexpr (std::is_same_v<Answer, AddressAnswer>) {
    boost::system::error_code no_literal;
    const auto address = boost::asio::ip::make_address(name, no_literal);
    if (!no_literal) return AddressAnswer{Outcome::found, {address}, kMaxTtl, {}};
  }
  return std::nullopt;
}

}  // namespace

class Resolver::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, Options options) : io_(io), options_(std::move(options)) {}
  ~Impl() {
    // Every query is called back now, drops its callback, and lets go of its channel.
    for (const auto& opened : opened_) {
      if (const auto channel = opened.lock()) ares_cancel(channel->raw());
    }
  }

  template <class Answer>
  void ask(const std::string& name, std::function<void(Answer)> done,
           void (Impl::*start)(const std::shared_ptr<Query<Answer>>&)) {
    auto query = std::make_shared<Query<Answer>>();
    query->name = name;
    query->done = std::move(done);
    query->owner_alive = weak_from_this();
    if (auto literal = answer_to_literal<Answer>(name)) return query->finish(io_, std::move(*literal));
    auto channel = current_channel();
    if (!channel) {
      Answer answer;
      answer.error = channel.error();
      return query->finish(io_, std::move(answer));
    }
    query->channel = *channel;
    query->deadline = std::make_unique<boost::asio::steady_timer>(io_, options_.deadline);
    query->deadline->async_wait(
        [this, alive = weak_from_this(), weak = std::weak_ptr(query)](boost::system::error_code error) {
          const auto query_now = weak.lock();
          if (error || !query_now || alive.expired()) return;
          Answer answer;
          answer.error = {query_now->name, reason_of(ARES_ETIMEOUT)};
          query_now->finish(io_, std::move(answer));
        });
    query->self = query;
    (this->*start)(query);
    (*channel)->arm();
  }

  void start_addresses(const std::shared_ptr<Query<AddressAnswer>>& query) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(
        query->channel->raw(), query->name.c_str(), nullptr, &hints,
        [](void* argument, int status, int, ares_addrinfo* result) {
          called_back(static_cast<Query<AddressAnswer>*>(argument), status,
                      [&](const std::string& name) { return address_answer(name, status, result); });
          if (result != nullptr) ares_freeaddrinfo(result);
        },
        query.get());
  }

  void start_services(const std::shared_ptr<Query<ServiceAnswer>>& query) {
    constexpr int kInternet = 1;  // ns_c_in
    constexpr int kService = 33;  // ns_t_srv
    ares_query(
        query->channel->raw(), query->name.c_str(), kInternet, kService,
        [](void* argument, int status, int, unsigned char* message, int size) {
          called_back(static_cast<Query<ServiceAnswer>*>(argument), status, [&](const std::string& name) {
            return service_answer(name, status,
                                  {message, message == nullptr ? 0 : static_cast<std::size_t>(size)});
          });
        },
        query.get());
  }

 private:
  template <class Answer, class MakeAnswer>
  static void called_back(Query<Answer>* query, int status, MakeAnswer make) {
    const auto owned = std::exchange(query->self, nullptr);
    const auto impl = std::static_pointer_cast<Impl>(owned->owner_alive.lock());
    if (!impl) return;
    // c-ares 1.18 keeps using a server's broken socket after ECONNREFUSED: begin anew, but not from in here.
    if (status == ARES_ECONNREFUSED) impl->stale_ = true;
    owned->finish(impl->io_, make(owned->name));
    // The last query of an old channel lets go of it, outside of c-ares' own frames.
    boost::asio::post(impl->io_, [channel = std::move(owned->channel)] {});
  }

  Result<std::shared_ptr<Channel>> current_channel() {
    std::optional<FileStamp> stamp;
    if (options_.servers.empty()) stamp = FileStamp::of(options_.resolv_conf);
    if (channel_ && !stale_ && stamp == stamp_) return channel_;
    auto servers = options_.servers;
    if (servers.empty() && options_.resolv_conf != kSystemResolvConf)
      servers = nameservers_of(options_.resolv_conf);
    auto opened = Channel::open(io_, options_, servers);
    if (!opened) return opened;
    std::erase_if(opened_, [](const auto& old) { return old.expired(); });
    opened_.push_back(*opened);
    channel_ = *opened;  // the old one lives as long as its queries
    stale_ = false;
    stamp_ = stamp;
    return channel_;
  }

  boost::asio::io_context& io_;
  const Options options_;
  std::shared_ptr<Channel> channel_;
  std::vector<std::weak_ptr<Channel>> opened_;
  bool stale_ = false;
  std::optional<FileStamp> stamp_;
};

Resolver::Resolver(boost::asio::io_context& io, Options options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {}

Resolver::~Resolver() = default;

void Resolver::resolve_addresses(const std::string& name, std::function<void(AddressAnswer)> done) {
  impl_->ask<AddressAnswer>(name, std::move(done), &Impl::start_addresses);
}

void Resolver::resolve_services(const std::string& name, std::function<void(ServiceAnswer)> done) {
  impl_->ask<ServiceAnswer>(name, std::move(done), &Impl::start_services);
}

}  // namespace ambassador::dns
