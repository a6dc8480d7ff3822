#include <termios.h>

#include <thread>

#include "cli/prompt_internal.h"
#include "cli/secret_io_internal.h"
#include "grantfs/crypto/encoding.h"
#include "grantfs/crypto/random.h"
#include "streams.h"
#include "support/eventually.h"

namespace grantfs {
namespace {

SecretMemory Secret(const std::string& text) {
  auto memory = SecretMemory::Allocate(text.size());
  EXPECT_TRUE(memory);
  std::copy(text.begin(), text.end(), memory->Expose().begin());
  return *std::move(memory);
}

std::string Plain(const SecretMemory& secret) {
  return {reinterpret_cast<const char*>(secret.Expose().data()), secret.size()};
}

class SecretIoTest : public ::testing::Test {
 protected:
  TempDirectory directory_;
  Captured out_{directory_.path() + "/out"}, err_{directory_.path() + "/err"};
};

TEST_F(SecretIoTest, PipeKeepsEveryByte) {
  for (const std::string& text : {std::string(), std::string("a\n"), std::string("\0\xff\r\n\n", 5)}) {
    const UniqueFd in = PipeWith(text);
    Terminal terminal(in.get(), out_.fd(), err_.fd());
    const auto read = ReadSecretInput(terminal, {.prompt = "value", .max_bytes = 100});
    ASSERT_TRUE(read) << Describe(read.error());
    EXPECT_EQ(Plain(*read), text);
    EXPECT_EQ(EndsInNewline(*read), text.ends_with('\n'));
  }
  EXPECT_EQ(err_.Text(), "") << "no prompt without a terminal";
}

TEST_F(SecretIoTest, TooLongIsRefused) {
  const UniqueFd in = PipeWith("12345");
  Terminal terminal(in.get(), out_.fd(), err_.fd());
  const auto read = ReadSecretInput(terminal, {.prompt = "value", .max_bytes = 4});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kInvalid);
}

TEST_F(SecretIoTest, FileIsReadByteForByte) {
  const std::string path = directory_.path() + "/value";
  std::ofstream(path) << "line\n";
  Terminal terminal(-1, out_.fd(), err_.fd());
  const auto read = ReadSecretInput(terminal, {.file = path, .max_bytes = 100});
  ASSERT_TRUE(read) << Describe(read.error());
  EXPECT_EQ(Plain(*read), "line\n");
  const auto missing = ReadSecretInput(terminal, {.file = path + "x", .max_bytes = 100});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
}

// Types each line once its prompt stands there, as a person does.
void Type(const Pty& pty, const std::vector<std::string>& lines, const Captured& err) {
  std::size_t shown = 0;
  for (const std::string& line : lines) {
    const bool asked = Eventually([&] { return err.Text().find("shown): ", shown) != std::string::npos; });
    if (!asked) return;
    shown = err.Text().find("shown): ", shown) + 1;
    const std::string typed = line + "\r";
    EXPECT_EQ(::write(pty.outer.get(), typed.data(), typed.size()), static_cast<ssize_t>(typed.size()));
  }
}

Result<SecretMemory> TypeInto(const std::vector<std::string>& lines, bool twice, const Captured& out,
                              const Captured& err) {
  Pty pty;
  std::thread typist([&] { Type(pty, lines, err); });
  Terminal terminal(pty.inner.get(), out.fd(), err.fd());
  auto read = ReadSecretInput(terminal, {.prompt = "value of x", .twice = twice, .max_bytes = 100});
  typist.join();
  termios after{};
  EXPECT_EQ(::tcgetattr(pty.inner.get(), &after), 0);
  EXPECT_NE(after.c_lflag & ECHO, 0u) << "the terminal is as it was";
  return read;
}

TEST_F(SecretIoTest, PromptTakesALineWithoutItsNewline) {
  const auto read = TypeInto({"hunter2"}, false, out_, err_);
  ASSERT_TRUE(read) << Describe(read.error());
  EXPECT_EQ(Plain(*read), "hunter2");
  EXPECT_EQ(err_.Text(), "value of x (not shown): \n");
  EXPECT_EQ(out_.Text(), "");
}

TEST_F(SecretIoTest, PromptKnowsBackspaceAndKill) {
  const auto read = TypeInto({"wrong\x15haa\x7f\xc3\xa4\x7f\x7f"
                              "ey"},
                             false, out_, err_);
  ASSERT_TRUE(read) << Describe(read.error());
  EXPECT_EQ(Plain(*read), "hey");
}

TEST_F(SecretIoTest, InterruptAtThePromptCancels) {
  const auto read = TypeInto({"hun\x03"}, false, out_, err_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kCancelled);
}

TEST_F(SecretIoTest, PromptOfAValueAsksTwice) {
  const auto same = TypeInto({"hunter2", "hunter2"}, true, out_, err_);
  ASSERT_TRUE(same) << Describe(same.error());
  EXPECT_EQ(Plain(*same), "hunter2");
  Captured again(directory_.path() + "/err2");
  const auto other = TypeInto({"hunter2", "hunter3"}, true, out_, again);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kInvalid);
}

TEST_F(SecretIoTest, WritesExactlyTheBytes) {
  Terminal terminal(-1, out_.fd(), err_.fd());
  OutSecret(terminal, Secret(std::string("a\0b", 3)));
  EXPECT_EQ(out_.Text(), std::string("a\0b", 3));
  EXPECT_EQ(err_.Text(), "");
}

TEST_F(SecretIoTest, NoteAboutAMissingNewlineGoesToStandardErrorAlone) {
  Pty pty;
  Terminal terminal(-1, pty.inner.get(), err_.fd());
  OutSecret(terminal, Secret("abc"));
  char bytes[16];
  ASSERT_EQ(::read(pty.outer.get(), bytes, sizeof bytes), 3);
  EXPECT_EQ(std::string(bytes, 3), "abc");
  EXPECT_NE(err_.Text().find("no newline"), std::string::npos);
}

TEST_F(SecretIoTest, LineInADocument) {
  Terminal terminal(-1, out_.fd(), err_.fd());
  ASSERT_TRUE(OutJsonWithLine(terminal, Json::Object({{"name", "web-1"}}), "line",
                              Secret("grantfs-invite-1.A_b-\n")));
  const auto json = ParseJson(out_.Text());
  ASSERT_TRUE(json) << out_.Text();
  EXPECT_EQ(json->Find("line")->AsString(), "grantfs-invite-1.A_b-");
  EXPECT_EQ(json->Find("name")->AsString(), "web-1");
  EXPECT_FALSE(OutJsonWithLine(terminal, Json::Object({}), "line", Secret("a\"b")));
}

TEST_F(SecretIoTest, ValueInADocumentIsBase64) {
  for (std::size_t size = 0; size < 20; ++size) {
    Captured out(directory_.path() + "/json");
    Terminal terminal(-1, out.fd(), err_.fd());
    const Bytes bytes = RandomBytes(size);
    ASSERT_TRUE(OutJsonWithValue(terminal, Json::Object({{"size", size}, {"name", ""}}), "value_base64",
                                 SecretValue(Secret(ToText(bytes)))));
    const auto json = ParseJson(out.Text());
    ASSERT_TRUE(json) << out.Text();
    EXPECT_EQ(json->Find("value_base64")->AsString(), Base64Encode(bytes));
    EXPECT_EQ(json->Find("name")->AsString(), "");
  }
}

TEST_F(SecretIoTest, FullDiskIsAnErrorOfTheOutput) {
  const UniqueFd full(::open("/dev/full", O_WRONLY));
  Terminal terminal(-1, full.get(), err_.fd());
  terminal.Out("x");
  ASSERT_FALSE(terminal.OutStatus());
  EXPECT_EQ(terminal.OutStatus().error().code, Code::kNoSpace);
}

TEST_F(SecretIoTest, ConfirmTakesYesAlone) {
  for (const auto& [typed, yes] :
       {std::pair{"y\n", true}, {"yes\n", true}, {"n\n", false}, {"\n", false}, {"", false}}) {
    const UniqueFd in = PipeWith(typed);
    Terminal terminal(in.get(), out_.fd(), err_.fd());
    EXPECT_EQ(Confirm(terminal, "Sure?"), yes) << typed;
  }
}

}  // namespace
}  // namespace grantfs
