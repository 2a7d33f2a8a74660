// Programs as tests run them: started with arguments and environment, watched, and always ended.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

/// Waits for `condition`, at most half a minute.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// A TCP port of 127.0.0.1 that is free now.
inline std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

/// A connection to `port` of 127.0.0.1 that waits at most ten seconds for each receive; -1: nobody answers.
inline int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/ambassador-test-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Replaces the file at once, as editors and the kubelet do.
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name) + ".new") << text;
    std::filesystem::rename(file(name) + ".new", file(name));
    return file(name);
  }

 private:
  std::string path_;
};

class Process {
 public:
  using Environment = std::map<std::string, std::string>;

  /// `input` is what it reads; its output and errors go to files.
  explicit Process(std::vector<std::string> arguments, const Environment& environment = {},
                   const std::string& input = "") {
    folder_.write("input", input);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      redirect("input", O_RDONLY, STDIN_FILENO);
      redirect("output", O_WRONLY | O_CREAT, STDOUT_FILENO);
      redirect("errors", O_WRONLY | O_CREAT, STDERR_FILENO);
      for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
      execvp(argv[0], argv.data());
      _exit(127);
    }
  }
  ~Process() {
    signal(SIGKILL);
    (void)wait(std::chrono::seconds(10));
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const {
    if (!status_) kill(pid_, number);
  }
  /// The exit code (128 + signal when killed), or nothing when it still runs after `patience`.
  std::optional<int> wait(std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!status_) {
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      } else if (std::chrono::steady_clock::now() > end) {
        return std::nullopt;
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
    return status_;
  }
  [[nodiscard]] std::string output() const { return text("output"); }
  [[nodiscard]] std::string errors() const { return text("errors"); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void redirect(const char* name, int flags, int to) const {
    const int fd = open(folder_.file(name).c_str(), flags, 0600);
    dup2(fd, to);
    close(fd);
  }
  [[nodiscard]] std::string text(const char* name) const {
    std::ostringstream all;
    all << std::ifstream(folder_.file(name)).rdbuf();
    return all.str();
  }

  Folder folder_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};
