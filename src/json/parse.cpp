#include <boost/json/basic_parser_impl.hpp>

#include "json_internal.h"

namespace grantfs {
namespace {

namespace bj = boost::json;

// Builds a Json from the parser's events. The library's own tree would drop a repeated name without a word.
class Builder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  explicit Builder(std::size_t max_items) : items_left_(max_items) {}

  Json& result() { return result_; }
  const char* refusal() const { return refusal_; }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }

  bool on_array_begin(bj::error_code& ec) { return Begin(false, ec); }
  bool on_object_begin(bj::error_code& ec) { return Begin(true, ec); }

  bool on_array_end(std::size_t, bj::error_code&) {
    Json array = Json::Array(std::move(open_.back().items));
    open_.pop_back();
    Place(std::move(array));
    return true;
  }

  bool on_object_end(std::size_t, bj::error_code& ec) {
    if (HasDuplicateName(open_.back().members)) {
      return Refuse("a JSON object has two members of one name", ec);
    }
    Json object = Json::Object(std::move(open_.back().members));
    open_.pop_back();
    Place(std::move(object));
    return true;
  }

  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) { return Gather(part); }
  bool on_key(bj::string_view part, std::size_t, bj::error_code&) {
    Gather(part);
    open_.back().members.emplace_back(std::exchange(text_, {}), Json());
    return true;
  }

  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) { return Gather(part); }
  bool on_string(bj::string_view part, std::size_t, bj::error_code& ec) {
    Gather(part);
    return Add(Json(std::exchange(text_, {})), ec);
  }

  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t number, bj::string_view text, bj::error_code& ec) {
    if (number == 0 && text.starts_with('-')) return Refuse("a JSON number is a negative zero", ec);
    return Add(Json(number), ec);
  }
  bool on_uint64(std::uint64_t, bj::string_view, bj::error_code& ec) { return RefuseNumber(ec); }
  bool on_double(double, bj::string_view, bj::error_code& ec) { return RefuseNumber(ec); }

  bool on_bool(bool value, bj::error_code& ec) { return Add(Json(value), ec); }
  bool on_null(bj::error_code& ec) { return Add(Json(), ec); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  // An array or object whose end is yet to come. The newest member waits for its value.
  struct Open {
    bool is_object;
    std::vector<Json> items;
    std::vector<Json::Member> members;
  };

  bool Refuse(const char* why, bj::error_code& ec) {
    refusal_ = why;
    ec = bj::make_error_code(bj::error::exception);
    return false;
  }

  bool RefuseNumber(bj::error_code& ec) { return Refuse("a JSON number is not an integer of 64 bits", ec); }

  bool Count(bj::error_code& ec) {
    if (items_left_ == 0) return Refuse("the JSON text holds too many values", ec);
    --items_left_;
    return true;
  }

  bool Begin(bool is_object, bj::error_code& ec) {
    if (!Count(ec)) return false;
    open_.push_back({is_object, {}, {}});
    return true;
  }

  bool Add(Json value, bj::error_code& ec) {
    if (!Count(ec)) return false;
    Place(std::move(value));
    return true;
  }

  void Place(Json value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else if (open_.back().is_object) {
      open_.back().members.back().second = std::move(value);
    } else {
      open_.back().items.push_back(std::move(value));
    }
  }

  bool Gather(bj::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }

  std::size_t items_left_;
  Json result_;
  std::vector<Open> open_;
  std::string text_;
  const char* refusal_ = nullptr;
};

const char* Reason(const Builder& builder, const bj::error_code& ec) {
  if (builder.refusal() != nullptr) return builder.refusal();
  if (ec == bj::error::too_deep) return "the JSON text is nested too deeply";
  return "not well-formed JSON";
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const JsonBounds& bounds) {
  if (text.size() > bounds.max_bytes) return Error{Code::kInvalid, "the JSON text is larger than the bound"};
  bj::parse_options options;  // by default: no comments, no trailing commas, UTF-8 checked
  options.max_depth = bounds.max_depth;
  bj::basic_parser<Builder> parser(options, bounds.max_items);
  bj::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (ec) return Error{Code::kInvalid, Reason(parser.handler(), ec)};
  if (used != text.size()) return Error{Code::kInvalid, "something follows the JSON text"};
  return std::move(parser.handler().result());
}

}  // namespace grantfs
