// A DNS server on a loopback port for tests: UDP, and TCP for answers that do not fit. What it answers is set
// by name; names that were not set do not exist (NXDOMAIN).
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

class FakeDns {
 public:
  struct Service {
    std::string host;
    std::uint16_t port;
  };
  struct Answer {
    enum class Kind { records, servfail, silence, garbage } kind = Kind::records;
    std::vector<std::string> addresses;  // A and AAAA
    std::vector<Service> services;       // SRV
    std::uint32_t ttl = 30;
  };

  explicit FakeDns(std::uint16_t port = 0) {
    // A port that is free for UDP may be taken for TCP.
    for (int tries = 0; tcp_ < 0; ++tries) {
      udp_ = bound(SOCK_DGRAM, port);
      port_ = udp_ < 0 ? port : port_of(udp_);
      tcp_ = udp_ < 0 ? -1 : bound(SOCK_STREAM, port_);
      if (tcp_ >= 0) break;
      if (udp_ >= 0) close(udp_);
      if (tries == 20) throw std::runtime_error("bind");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    listen(tcp_, 16);
    thread_ = std::thread([this] { run(); });
  }
  ~FakeDns() {
    stop_ = true;
    thread_.join();
    close(udp_);
    close(tcp_);
  }
  FakeDns(const FakeDns&) = delete;
  FakeDns& operator=(const FakeDns&) = delete;

  void set(const std::string& name, Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_[name] = std::move(answer);
  }
  [[nodiscard]] std::string server() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int queries() const { return queries_; }
  [[nodiscard]] int tcp_queries() const { return tcp_queries_; }

 private:
  using Bytes = std::vector<std::uint8_t>;
  static constexpr std::size_t kUdpBytes = 512;  // RFC 1035, 2.3.4

  static int bound(int type, std::uint16_t port) {
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    close(fd);
    return -1;
  }
  static std::uint16_t port_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  void run() {
    while (!stop_) {
      std::array<pollfd, 2> ready{{{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}}};
      if (poll(ready.data(), ready.size(), 20) <= 0) continue;
      if (ready[0].revents != 0) serve_udp();
      if (ready[1].revents != 0) serve_tcp();
    }
  }
  void serve_udp() {
    Bytes query(1500);
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const auto got = recvfrom(udp_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (got < 12) return;
    query.resize(static_cast<std::size_t>(got));
    Bytes reply = reply_to(query);
    ++queries_;
    if (reply.empty()) return;
    if (reply.size() > kUdpBytes) {  // truncated: the question alone, TC set
      reply.resize(query.size());
      reply[2] |= 0x02;
      reply[6] = reply[7] = 0;
    }
    sendto(udp_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
  }
  void serve_tcp() {
    const int fd = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    std::array<std::uint8_t, 2> length{};
    if (recv(fd, length.data(), 2, MSG_WAITALL) == 2) {
      Bytes query(static_cast<std::size_t>(length[0] << 8 | length[1]));
      if (recv(fd, query.data(), query.size(), MSG_WAITALL) == static_cast<ssize_t>(query.size())) {
        Bytes reply = reply_to(query);
        ++tcp_queries_;
        const std::size_t size = reply.size();
        reply.insert(reply.begin(), {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
        send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
      }
    }
    close(fd);
  }

  static void put16(Bytes& out, unsigned value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
  }
  static void put_name(Bytes& out, std::string name) {
    while (!name.empty()) {
      const std::string label = name.substr(0, name.find('.'));
      out.push_back(static_cast<std::uint8_t>(label.size()));
      out.insert(out.end(), label.begin(), label.end());
      name.erase(0, label.size() + 1);
    }
    out.push_back(0);
  }
  static void put_record(Bytes& out, unsigned type, std::uint32_t ttl, const Bytes& data) {
    put16(out, 0xc00c);  // the question's name
    put16(out, type);
    put16(out, 1);
    put16(out, ttl >> 16);
    put16(out, ttl & 0xffff);
    put16(out, static_cast<unsigned>(data.size()));
    out.insert(out.end(), data.begin(), data.end());
  }

  Bytes reply_to(const Bytes& query) {
    std::string name;
    std::size_t at = 12;
    while (query[at] != 0) {
      if (!name.empty()) name += '.';
      name.append(reinterpret_cast<const char*>(&query[at + 1]), query[at]);
      at += query[at] + 1U;
    }
    const unsigned type = static_cast<unsigned>(query[at + 1] << 8 | query[at + 2]);
    const std::size_t question_end = at + 5;
    Bytes reply(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(question_end));
    reply[2] = 0x81;
    reply[3] = 0x80;
    std::fill(reply.begin() + 6, reply.begin() + 12, std::uint8_t{0});

    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(name);
    if (found == answers_.end()) {
      reply[3] |= 3;  // NXDOMAIN
      return reply;
    }
    const Answer& answer = found->second;
    if (answer.kind == Answer::Kind::silence) return {};
    if (answer.kind == Answer::Kind::servfail) {
      reply[3] |= 2;
      return reply;
    }
    if (answer.kind == Answer::Kind::garbage) {
      reply[7] = 9;  // nine answers are promised, none is there
      return reply;
    }
    unsigned count = 0;
    for (const std::string& address : answer.addresses) {
      const bool six = address.find(':') != std::string::npos;
      if (type != (six ? 28U : 1U)) continue;
      Bytes data(six ? 16 : 4);
      inet_pton(six ? AF_INET6 : AF_INET, address.c_str(), data.data());
      put_record(reply, type, answer.ttl, data);
      ++count;
    }
    for (const Service& service : answer.services) {
      if (type != 33) continue;
      Bytes data;
      put16(data, 0);
      put16(data, 100);
      put16(data, service.port);
      put_name(data, service.host);
      put_record(reply, type, answer.ttl, data);
      ++count;
    }
    reply[6] = static_cast<std::uint8_t>(count >> 8);
    reply[7] = static_cast<std::uint8_t>(count);
    return reply;
  }

  int udp_ = -1;
  int tcp_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> queries_{0};
  std::atomic<int> tcp_queries_{0};
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::thread thread_;
};
