// A real etcd and kube-apiserver for component tests: control_plane.py beside this file, started once per
// test program, ended with it.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "operator/kube/config.hpp"
#include "test/places.hpp"

namespace ambassador::test {

class ControlPlane {
 public:
  /// The program's own; started by the first call (some 5 s).
  static ControlPlane& get() {
    static ControlPlane plane;
    return plane;
  }

  [[nodiscard]] std::string kubeconfig() const { return about_.at("kubeconfig"); }
  [[nodiscard]] std::string folder() const { return about_.at("folder"); }
  [[nodiscard]] std::string token() const { return about_.at("token"); }
  /// With the administrator's client certificate.
  [[nodiscard]] kube::Config config() const { return kube::kubeconfig(kubeconfig()).value(); }

  void pause() { order("pause"); }  // the API server stops answering, its connections stay open
  void resume() { order("resume"); }
  void kill() { order("kill"); }
  void start() { order("start"); }  // returns once it is ready again

  /// A manifest, its path relative to the repository.
  void apply(const std::string& path) { order("apply " SOURCE_DIR "/" + path); }

  ~ControlPlane() {
    close(to_);
    close(from_);
    waitpid(pid_, nullptr, 0);
  }

 private:
  ControlPlane() {
    int in[2] = {};
    int out[2] = {};
    if (pipe(in) != 0 || pipe(out) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      for (const int end : {in[0], in[1], out[0], out[1]}) close(end);
      execlp("python3", "python3", SOURCE_DIR "/test/component/operator/kube/control_plane.py", nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
    const auto line = read_line();
    if (line.empty()) throw std::runtime_error("no control plane: see above");
    about_ = nlohmann::json::parse(line);
  }

  std::string read_line() const {
    std::string line;
    char letter = 0;
    while (read(from_, &letter, 1) == 1 && letter != '\n') line += letter;
    return line;
  }

  void order(const std::string& what) {
    const std::string line = what + "\n";
    const bool sent = write(to_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    const auto answer = sent ? read_line() : "it has ended";
    if (answer != "ok") throw std::runtime_error("control plane: " + what + ": " + answer);
  }

  pid_t pid_ = 0;
  int to_ = -1;
  int from_ = -1;
  nlohmann::json about_;
};

}  // namespace ambassador::test
