#include "program.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>

#include "support/eventually.h"

namespace grantfs {
namespace {

std::vector<char*> Pointers(std::vector<std::string>* words) {
  std::vector<char*> pointers;
  for (std::string& word : *words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Json Finished::Document() const {
  auto json = ParseJson(out);
  EXPECT_TRUE(json) << Told();
  return json ? *std::move(json) : Json();
}

pid_t StartProgram(const Words& arguments, int in, int out, int err) {
  std::vector<std::string> words = {GRANTFS_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = {"HOME=/nonexistent", "PATH=/usr/bin:/bin"};
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t process = -1;
  EXPECT_EQ(::posix_spawn(&process, GRANTFS_PROGRAM, &actions, nullptr, Pointers(&words).data(),
                          Pointers(&environment).data()),
            0);
  posix_spawn_file_actions_destroy(&actions);
  return process;
}

int WaitForProgram(pid_t process) {
  if (process <= 1) return -1;  // it did not start, which StartProgram has told
  int status = 0;
  const auto ended = [&] { return ::waitpid(process, &status, WNOHANG) == process; };
  if (!Eventually(ended, std::chrono::seconds(60))) {
    ADD_FAILURE() << "the program did not end";
    ::kill(process, SIGKILL);
    ::waitpid(process, &status, 0);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Finished RunProgram(const Words& arguments, const std::string& input) {
  TempDirectory directory;
  std::ofstream(directory.path() + "/in", std::ios::binary) << input;
  const UniqueFd in(::open((directory.path() + "/in").c_str(), O_RDONLY | O_CLOEXEC));
  const Captured out(directory.path() + "/out"), err(directory.path() + "/err");
  const int exit = WaitForProgram(StartProgram(arguments, in.get(), out.fd(), err.fd()));
  return {exit, out.Text(), err.Text()};
}

ServedVault::ServedVault(std::string data) : data_(std::move(data)) { Start(); }

void ServedVault::Start() {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Captured out(data_ + ".out"), err(data_ + ".err");
  process_ = StartProgram({"serve", "--json", "--data", data_, "--listen", address_}, null.get(), out.fd(),
                          err.fd());
  ASSERT_TRUE(Eventually([&out] { return static_cast<bool>(ParseJson(out.Text())); })) << err.Text();
  address_ = ParseJson(out.Text())->Find("listening")->Items().at(0).AsString();
}

void ServedVault::Stop() {
  if (process_ < 0) return;
  ::kill(process_, SIGTERM);
  EXPECT_EQ(WaitForProgram(process_), 0) << FileText(data_ + ".err");
  process_ = -1;
}

OwnedVault::OwnedVault() {
  const Finished made = Owner({"init", "--name", "ada", "--file", server_.ClaimPath()});
  EXPECT_EQ(made.exit, 0) << made.Told();
  const Finished environment = Owner({"env", "create", "shop/prod"});
  EXPECT_EQ(environment.exit, 0) << environment.Told();
}

Finished OwnedVault::Owner(Words arguments, const std::string& input) const {
  arguments.insert(arguments.begin(), {"--home", home()});
  return RunProgram(arguments, input);
}

Finished OwnedVault::Machine(const std::string& name, Words arguments, const std::string& input) const {
  arguments.insert(arguments.begin(), {"--home", MachineHome(name)});
  return RunProgram(arguments, input);
}

void OwnedVault::AddMachine(const std::string& name) {
  const Finished invited = Owner({"invite", name});
  ASSERT_EQ(invited.exit, 0) << invited.Told();
  const Finished asked = Machine(name, {"enroll"}, invited.out);
  ASSERT_EQ(asked.exit, 0) << asked.Told();
  const Finished approved = Owner({"approve", name});
  ASSERT_EQ(approved.exit, 0) << approved.Told();
  const Finished enrolled = Machine(name, {"enroll", "--wait", "30s"});
  ASSERT_EQ(enrolled.exit, 0) << enrolled.Told();
}

}  // namespace grantfs
