#include "grantfs/tlog/leaf.h"

#include <algorithm>
#include <cstdlib>

#include "grantfs/tlog/tree.h"
#include "grantfs/util/text.h"

namespace grantfs {
namespace {

constexpr std::string_view kFormat = "grantfs-audit-leaf-v1";
constexpr std::size_t kMaxTypeBytes = 64;
constexpr std::size_t kMaxLeafBytes = 256;  // what the longest parts come to, and some

Error MalformedLeaf() { return {Code::kInvalid, "an audit leaf is malformed"}; }

bool IsTypeCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

}  // namespace

const char* AuditSeverityName(AuditSeverity severity) {
  switch (severity) {
    case AuditSeverity::kInfo:
      return "info";
    case AuditSeverity::kNotice:
      return "notice";
    case AuditSeverity::kWarning:
      return "warning";
    case AuditSeverity::kCritical:
      return "critical";
  }
  std::abort();
}

Result<AuditSeverity> ParseAuditSeverity(std::string_view name) {
  for (const auto severity :
       {AuditSeverity::kInfo, AuditSeverity::kNotice, AuditSeverity::kWarning, AuditSeverity::kCritical}) {
    if (name == AuditSeverityName(severity)) return severity;
  }
  return Error{Code::kInvalid, "not a severity: it is info, notice, warning or critical"};
}

bool IsAuditType(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTypeBytes &&
         std::all_of(text.begin(), text.end(), IsTypeCharacter);
}

Result<Bytes> EncodeLeaf(const LeafHeader& header) {
  const bool in_range =
      header.sequence < kMaxTreeSize && header.time_ms >= 0 && header.time_ms <= kMaxLeafTimeMs;
  if (!in_range || !IsAuditType(header.type)) return Error{Code::kInvalid, "an audit leaf cannot say this"};
  std::string line(kFormat);
  line.append(" ").append(std::to_string(header.sequence));
  line.append(" ").append(std::to_string(header.time_ms));
  line.append(" ").append(AuditSeverityName(header.severity));
  line.append(" ").append(header.type);
  line.append(" ").append(header.body.Hex());
  return ToBytes(AsBytes(line));
}

Result<LeafHeader> ParseLeaf(ByteView leaf) {
  if (leaf.size() > kMaxLeafBytes) return MalformedLeaf();
  const auto parts = Split(AsText(leaf), ' ');
  unsigned long long sequence = 0;
  unsigned long long time_ms = 0;
  if (parts.size() != 6 || parts[0] != kFormat || !ParseNumber(parts[1], kMaxTreeSize - 1, &sequence) ||
      !ParseNumber(parts[2], kMaxLeafTimeMs, &time_ms) || !IsAuditType(parts[4])) {
    return MalformedLeaf();
  }
  LeafHeader header;
  header.sequence = sequence;
  header.time_ms = static_cast<std::int64_t>(time_ms);
  header.severity = GRANTFS_TRY(ParseAuditSeverity(parts[3]));
  header.type = parts[4];
  header.body = GRANTFS_TRY(Hash::FromHex(parts[5]));
  return header;
}

Result<Hash> SaltedBodyHash(ByteView salt, ByteView body) {
  if (salt.size() != kBodySaltBytes) {
    return Error{Code::kInvalid, "the salt of an audit body is not 16 bytes long"};
  }
  return Sha256({EncodeContext({AsBytes("grantfs audit body v1"), salt, body})});
}

}  // namespace grantfs
