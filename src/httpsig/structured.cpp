#include "grantfs/crypto/encoding.h"
#include "structured_internal.h"

namespace grantfs::httpsig {
namespace {

constexpr std::size_t kMaxFieldBytes = 4096;
constexpr std::size_t kMaxMembers = 64;

Error Bad(const char* where) { return Error{Code::kInvalid, where}; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsKeyStart(char c) { return (c >= 'a' && c <= 'z') || c == '*'; }
bool IsKeyCharacter(char c) { return IsKeyStart(c) || IsDigit(c) || c == '_' || c == '-' || c == '.'; }

/// RFC 9651 section 4.2, one function for each production that is in use.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  void SkipSpaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  void SkipSpacesAndTabs() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  bool AtEnd() const { return rest_.empty(); }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool LooksAt(char c) const { return !rest_.empty() && rest_.front() == c; }

  Result<std::string> Key() {
    if (rest_.empty() || !IsKeyStart(rest_.front())) return Bad("a key must begin with a lower-case letter");
    std::size_t size = 1;
    while (size < rest_.size() && IsKeyCharacter(rest_[size])) ++size;
    return std::string(TakePrefix(size));
  }

  Result<SfItem> Item() {
    SfItem item;
    item.value = GRANTFS_TRY(Bare());
    item.params = GRANTFS_TRY(Parameters());
    return item;
  }

  Result<SfInnerList> InnerList() {
    SfInnerList list;
    if (!Take('(')) return Bad("an inner list must begin with a parenthesis");
    while (true) {
      SkipSpaces();
      if (Take(')')) break;
      if (list.items.size() == kMaxMembers) return Bad("an inner list has too many items");
      list.items.push_back(GRANTFS_TRY(Item()));
      if (!LooksAt(' ') && !LooksAt(')')) return Bad("an inner list is malformed");
    }
    list.params = GRANTFS_TRY(Parameters());
    return list;
  }

  Result<SfMember> Member() {
    SfMember member;
    member.key = GRANTFS_TRY(Key());
    if (!Take('=')) return Bad("a member without a value is not in use here");
    if (LooksAt('(')) {
      member.value = GRANTFS_TRY(InnerList());
    } else {
      member.value = GRANTFS_TRY(Item());
    }
    return member;
  }

 private:
  std::string_view TakePrefix(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  Result<SfBare> Bare() {
    if (Take('"')) return String();
    if (Take(':')) return ByteSequence();
    if (LooksAt('-') || (!rest_.empty() && IsDigit(rest_.front()))) return Integer();
    return Bad("only integers, strings and byte sequences are in use here");
  }

  Result<SfBare> Integer() {
    const bool negative = Take('-');
    std::size_t size = 0;
    std::int64_t value = 0;
    while (size < rest_.size() && IsDigit(rest_[size])) {
      if (size == 15) return Bad("an integer has more than 15 digits");
      value = value * 10 + (rest_[size++] - '0');
    }
    if (size == 0) return Bad("an integer has no digits");
    TakePrefix(size);
    if (LooksAt('.')) return Bad("decimals are not in use here");
    return SfBare(negative ? -value : value);
  }

  Result<SfBare> String() {
    std::string value;
    while (!rest_.empty()) {
      char c = TakePrefix(1).front();
      if (c == '"') return SfBare(std::move(value));
      if (c == '\\') {
        if (!LooksAt('"') && !LooksAt('\\')) return Bad("a string has an unknown escape");
        c = TakePrefix(1).front();
      }
      if (c < 0x20 || c > 0x7e) return Bad("a string holds a character outside ASCII");
      value.push_back(c);
    }
    return Bad("a string has no end");
  }

  Result<SfBare> ByteSequence() {
    const std::size_t end = rest_.find(':');
    if (end == std::string_view::npos) return Bad("a byte sequence has no end");
    Bytes bytes = GRANTFS_TRY(Base64Decode(rest_.substr(0, end), kMaxFieldBytes));
    TakePrefix(end + 1);
    return SfBare(std::move(bytes));
  }

  Result<std::vector<SfParameter>> Parameters() {
    std::vector<SfParameter> params;
    while (Take(';')) {
      SkipSpaces();
      SfParameter param;
      param.key = GRANTFS_TRY(Key());
      if (!Take('=')) return Bad("a parameter without a value is not in use here");
      param.value = GRANTFS_TRY(Bare());
      for (const SfParameter& other : params) {
        if (other.key == param.key) return Bad("a parameter stands twice");
      }
      if (params.size() == kMaxMembers) return Bad("there are too many parameters");
      params.push_back(std::move(param));
    }
    return params;
  }

  std::string_view rest_;
};

struct BareWriter {
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(const Bytes& bytes) const { return ":" + Base64Encode(bytes) + ":"; }
  std::string operator()(const std::string& text) const {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    return out + '"';
  }
};

std::string SerializeParameters(const std::vector<SfParameter>& params) {
  std::string out;
  for (const SfParameter& param : params)
    out += ";" + param.key + "=" + std::visit(BareWriter(), param.value);
  return out;
}

}  // namespace

Result<SfItem> ParseSfItem(std::string_view text) {
  if (text.size() > kMaxFieldBytes) return Bad("a structured field is too long");
  Parser parser(text);
  parser.SkipSpaces();
  SfItem item = GRANTFS_TRY(parser.Item());
  parser.SkipSpaces();
  if (!parser.AtEnd()) return Bad("a structured field goes on after its end");
  return item;
}

Result<std::vector<SfMember>> ParseSfDictionary(std::string_view text) {
  if (text.size() > kMaxFieldBytes) return Bad("a structured field is too long");
  std::vector<SfMember> members;
  Parser parser(text);
  parser.SkipSpaces();
  if (parser.AtEnd()) return members;
  while (true) {
    SfMember member = GRANTFS_TRY(parser.Member());
    for (const SfMember& other : members) {
      if (other.key == member.key) return Bad("a key stands twice");
    }
    if (members.size() == kMaxMembers) return Bad("a structured field has too many members");
    members.push_back(std::move(member));
    parser.SkipSpacesAndTabs();
    if (parser.AtEnd()) return members;
    if (!parser.Take(',')) return Bad("a structured field goes on after its end");
    parser.SkipSpacesAndTabs();
  }
}

std::string SerializeSf(const SfItem& item) {
  return std::visit(BareWriter(), item.value) + SerializeParameters(item.params);
}

std::string SerializeSf(const SfInnerList& list) {
  std::string out = "(";
  for (const SfItem& item : list.items) {
    if (out.size() > 1) out.push_back(' ');
    out += SerializeSf(item);
  }
  return out + ")" + SerializeParameters(list.params);
}

}  // namespace grantfs::httpsig
