// relay LISTEN_PORT SERVER_PORT: the least that a TCP relay on loopback can cost, to compare the proxy with.
// One thread, one epoll set, one recv and one send for each piece that comes; nothing is parsed. Built and
// started by ./run bench postgresql; not shipped.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr int kBacklog = 4096;

/// One socket of a pair. What the other one did not take yet waits here, and this one is not read meanwhile.
struct End {
  int fd;
  End* other = nullptr;
  std::string waits{};
  bool over = false;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  return address;
}

void watch(int set, int operation, int fd, std::uint32_t events, End* who) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = who;
  if (epoll_ctl(set, operation, fd, &event) != 0) fail("epoll_ctl");
}

// What it is told of depends on who waits for whom.
void watch(int set, End& end) {
  const std::uint32_t reads = end.waits.empty() ? EPOLLIN : 0U;
  const std::uint32_t writes = end.other->waits.empty() ? 0U : EPOLLOUT;
  watch(set, EPOLL_CTL_MOD, end.fd, reads | writes, &end);
}

void pair_up(int set, int client, const sockaddr_in& address) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(server);
    close(client);
    return;
  }
  auto* const one = new End{client};
  auto* const two = new End{server, one};
  one->other = two;
  const int on = 1;
  for (End* const end : {one, two}) {
    setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(set, EPOLL_CTL_ADD, end->fd, EPOLLIN, end);
  }
}

// -1: the pair is over.
ssize_t sent(const End& to, const char* at, std::size_t n) {
  const ssize_t done = send(to.fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
  return done < 0 && errno == EAGAIN ? 0 : done;
}

bool pass_on(int set, End& from) {
  static std::array<char, 16384> buffer;
  const ssize_t got = recv(from.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  const ssize_t done = sent(*from.other, buffer.data(), static_cast<std::size_t>(got));
  if (done < 0) return false;
  if (done == got) return true;
  from.waits.assign(buffer.data() + done, static_cast<std::size_t>(got - done));
  watch(set, from);
  watch(set, *from.other);
  return true;
}

bool pass_on_what_waits(int set, End& from) {
  const ssize_t done = sent(*from.other, from.waits.data(), from.waits.size());
  if (done < 0) return false;
  from.waits.erase(0, static_cast<std::size_t>(done));
  if (!from.waits.empty()) return true;
  watch(set, from);
  watch(set, *from.other);
  return true;
}

bool goes_on(int set, End& end, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !end.other->waits.empty() && !pass_on_what_waits(set, *end.other))
    return false;
  if ((events & ~EPOLLOUT) == 0) return true;
  return end.waits.empty() ? pass_on(set, end) : (events & (EPOLLERR | EPOLLHUP)) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("relay LISTEN_PORT SERVER_PORT\n", stderr), 2;
  const sockaddr_in own = loopback(argv[1]);
  const sockaddr_in server = loopback(argv[2]);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) fail("bind");
  if (listen(listener, kBacklog) != 0) fail("listen");
  const int set = epoll_create1(EPOLL_CLOEXEC);
  watch(set, EPOLL_CTL_ADD, listener, EPOLLIN, nullptr);
  std::array<epoll_event, 128> events;
  std::vector<End*> over;
  for (;;) {
    const int count = epoll_wait(set, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      auto* const end = static_cast<End*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (end == nullptr) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) pair_up(set, client, server);
      } else if (!end->over && !goes_on(set, *end, events[static_cast<std::size_t>(i)].events)) {
        end->over = end->other->over = true;
        over.push_back(end);
      }
    }
    // Not sooner: an event of the other one may be among these.
    for (End* const end : over) {
      close(end->fd);
      close(end->other->fd);
      delete end->other;
      delete end;
    }
    over.clear();
  }
}
