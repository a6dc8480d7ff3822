#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "grantfs/json/json.h"
#include "streams.h"

namespace grantfs {

using Words = std::vector<std::string>;

/// What a program that ended has left.
struct Finished {
  int exit = -1;
  std::string out;
  std::string err;
  /// For a failing message.
  std::string Told() const { return "exit " + std::to_string(exit) + "\nout: " + out + "\nerr: " + err; }
  /// Its standard output as a document; null, and a failure, where it is none.
  Json Document() const;
};

/// Starts the program `grantfs` with these arguments; its standard streams are the given descriptors. Only
/// HOME and PATH are in its environment. @return its process id.
pid_t StartProgram(const Words& arguments, int in, int out, int err);

/// Waits until it ended; kills it where that takes a minute. @return its exit code, 128 + N for signal N.
int WaitForProgram(pid_t process);

/// Runs `grantfs` to its end.
Finished RunProgram(const Words& arguments, const std::string& input = "");

/// A vault that is served for as long as this lives, at a free port of 127.0.0.1.
class ServedVault {
 public:
  explicit ServedVault(std::string data);
  ~ServedVault() { Stop(); }
  ServedVault(const ServedVault&) = delete;
  ServedVault& operator=(const ServedVault&) = delete;

  /// Again at the same port after a stop.
  void Start();
  void Stop();
  const std::string& data() const { return data_; }
  std::string ClaimPath() const { return data_ + "/claim"; }

 private:
  std::string data_;
  std::string address_ = "127.0.0.1:0";
  pid_t process_ = -1;
};

/// A vault with its owner "ada" and the environment shop/prod.
class OwnedVault {
 public:
  OwnedVault();
  const std::string& path() const { return directory_.path(); }
  ServedVault& server() { return server_; }
  std::string home() const { return path() + "/owner"; }
  /// A command of the owner's.
  Finished Owner(Words arguments, const std::string& input = "") const;
  /// A command with that machine's home.
  Finished Machine(const std::string& name, Words arguments, const std::string& input = "") const;
  std::string MachineHome(const std::string& name) const { return path() + "/" + name; }
  /// Invites, enrols and approves a machine.
  void AddMachine(const std::string& name);

 private:
  TempDirectory directory_;
  ServedVault server_{directory_.path() + "/vault"};
};

}  // namespace grantfs
