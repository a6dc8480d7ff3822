// Poses as another program: makes a user namespace, in which it may, has /proc/self/exe lead to PROGRAM, and
// reads FILE. Prints what /proc/self/exe says and what became of the read.

#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Mapping {
  std::uintptr_t start = 0, end = 0;
  int protection = 0;
};

std::string Executable() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  return {path, size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::vector<Mapping> MappingsOf(const std::string& path) {
  std::vector<Mapping> mappings;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping;
    char rights[5] = "";
    if (!line.ends_with(" " + path) ||
        std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &mapping.start, &mapping.end, rights) != 3)
      continue;
    mapping.protection = (rights[0] == 'r' ? PROT_READ : 0) | (rights[1] == 'w' ? PROT_WRITE : 0) |
                         (rights[2] == 'x' ? PROT_EXEC : 0);
    mappings.push_back(mapping);
  }
  return mappings;
}

/// The kernel lets go of an executable that is not mapped any more: puts copies in its place.
bool Unmap(const Mapping& mapping) {
  void* const place = reinterpret_cast<void*>(mapping.start);
  const std::size_t size = mapping.end - mapping.start;
  void* const copy = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) return false;
  if ((mapping.protection & PROT_READ) != 0) std::memcpy(copy, place, size);
  return mprotect(copy, size, mapping.protection) == 0 &&
         mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place;
}

/// The fields of /proc/self/stat behind the name; [0] is the state.
std::vector<unsigned long long> Fields() {
  std::ifstream file("/proc/self/stat");
  std::stringstream text;
  text << file.rdbuf();
  std::istringstream rest(text.str().substr(text.str().rfind(')') + 4));
  std::vector<unsigned long long> fields = {0};
  for (std::string field; rest >> field;) fields.push_back(std::strtoull(field.c_str(), nullptr, 10));
  return fields;
}

bool Pose(const char* program) {
  for (const Mapping& mapping : MappingsOf(Executable())) {
    if (!Unmap(mapping)) return false;
  }
  const auto fields = Fields();
  const auto at = [&](std::size_t number) { return fields.at(number - 3); };  // as proc(5) counts
  prctl_mm_map map{};
  map.start_code = at(26);
  map.end_code = at(27);
  map.start_stack = at(28);
  map.start_data = at(45);
  map.end_data = at(46);
  map.start_brk = at(47);
  map.arg_start = at(48);
  map.arg_end = at(49);
  map.env_start = at(50);
  map.env_end = at(51);
  map.brk = reinterpret_cast<std::uintptr_t>(sbrk(0));
  const int fd = open(program, O_RDONLY | O_CLOEXEC);
  map.exe_fd = static_cast<__u32>(fd);
  return fd >= 0 &&
         prctl(PR_SET_MM, PR_SET_MM_MAP, reinterpret_cast<unsigned long>(&map), sizeof map, 0) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  if (unshare(CLONE_NEWUSER) != 0) {
    std::printf("no user namespace: %s\n", std::strerror(errno));
    return 3;
  }
  if (!Pose(argv[1])) {
    std::printf("no pose: %s\n", std::strerror(errno));
    return 4;
  }
  char content[256];
  const int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
  const ssize_t size = fd < 0 ? -1 : read(fd, content, sizeof content);
  const int error = size < 0 ? errno : 0;
  std::printf("%s: errno %d\n", Executable().c_str(), error);
  return 0;
}
