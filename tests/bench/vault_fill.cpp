// Fills a stopped vault's directory with what a large vault holds, by the vault's own code but without a
// wire, a process and a wait for the disk each: so it takes minutes where commands would take hours. All of
// it is real: signed statements, sealed keys, chained audit records. Not for a vault that anybody uses: the
// machines' keys derive from the seed of the home.
//
//   vault_fill DATA HOME machines COUNT
//   vault_fill DATA HOME secrets COUNT GRANTS_EACH
//   vault_fill DATA HOME readers ENVIRONMENT PATH COUNT
//   vault_fill DATA HOME versions ENVIRONMENT COUNT VERSIONS
//   vault_fill DATA HOME records COUNT
//
// HOME is an owner's of the vault and of its environments; of `versions` a writer's too. See fill.h.

#include <cstdio>
#include <functional>
#include <map>
#include <vector>

#include "fill.h"
#include "grantfs/crypto/random.h"

namespace grantfs::bench {
namespace {

using Words = std::vector<std::string>;

std::uint64_t Number(const std::string& word) {
  const bool good = !word.empty() && word.size() < 12 && word[0] != '0' &&
                    word.find_first_not_of("0123456789") == std::string::npos;
  if (!good) Fail("this is no number: " + word);
  return std::strtoull(word.c_str(), nullptr, 10);
}

struct Work {
  std::size_t words;
  std::function<void(OpenVault&, const Words&)> run;
};

const std::map<std::string, Work>& Works() {
  static const std::map<std::string, Work> works{
      {"machines", {1, [](OpenVault& open, const Words& w) { FillMachines(open, Number(w[0])); }}},
      {"secrets",
       {2, [](OpenVault& open, const Words& w) { FillSecrets(open, Number(w[0]), Number(w[1])); }}},
      {"readers", {3, [](OpenVault& open, const Words& w) { FillReaders(open, w[0], w[1], Number(w[2])); }}},
      {"versions",
       {3, [](OpenVault& open, const Words& w) { FillVersions(open, w[0], Number(w[1]), Number(w[2])); }}},
      {"records", {1, [](OpenVault& open, const Words& w) { FillRecords(open, Number(w[0])); }}},
  };
  return works;
}

int Main(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  const auto work = words.size() < 3 ? Works().end() : Works().find(words[2]);
  if (work == Works().end() || words.size() != 3 + work->second.words) {
    std::fprintf(stderr,
                 "usage: vault_fill DATA HOME machines COUNT | secrets COUNT GRANTS_EACH | readers "
                 "ENVIRONMENT PATH COUNT | versions ENVIRONMENT COUNT VERSIONS | records COUNT\n");
    return 2;
  }
  Must(InitCrypto());
  OpenVault open(words[0], words[1]);
  work->second.run(open, Words(words.begin() + 3, words.end()));
  return 0;
}

}  // namespace
}  // namespace grantfs::bench

int main(int argc, char** argv) { return grantfs::bench::Main(argc, argv); }
