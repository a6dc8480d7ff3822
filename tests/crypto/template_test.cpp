#include "grantfs/crypto/template.h"

#include <gtest/gtest.h>

#include "test_secret.h"

namespace grantfs {
namespace {

SecretValue SecretText(std::string_view text) { return SecretValue(SecretOf(text)); }
std::string Plain(const SecretValue& value) { return ToText(value.Expose()); }

std::string Quoted(std::string_view text, Quoting quoting) {
  const auto quoted = Quote(SecretText(text), quoting);
  return quoted ? ToText(quoted->Expose()) : "refused: " + Describe(quoted.error());
}

Result<SecretValue> Rendered(std::string_view text,
                             const std::vector<std::pair<std::string, std::string>>& values) {
  const auto parsed = Template::Parse(SecretText(text));
  if (!parsed) return parsed.error();
  Template::Values named;
  for (const auto& [name, value] : values) named.emplace(name, SecretText(value));
  return parsed->Render(named);
}

std::string Made(std::string_view text) {
  const auto made = Rendered(text, {{"a", "A\"1"}, {"b", "it's"}, {"tls/server.key", "K"}, {"none", ""}});
  return made ? Plain(*made) : Describe(made.error());
}

TEST(QuoteTest, JsonEscapesWhatItMustAndNothingElse) {
  EXPECT_EQ(Quoted("", Quoting::kJson), "\"\"");
  EXPECT_EQ(Quoted("a\"b\\c/d", Quoting::kJson), "\"a\\\"b\\\\c/d\"");
  EXPECT_EQ(Quoted("\b\f\n\r\t", Quoting::kJson), "\"\\b\\f\\n\\r\\t\"");
  EXPECT_EQ(Quoted(std::string_view("\0\x1F\x7F", 3), Quoting::kJson), "\"\\u0000\\u001F\x7F\"");
  EXPECT_EQ(Quoted("\xC3\xA4\xF0\x9F\x94\x91", Quoting::kJson), "\"\xC3\xA4\xF0\x9F\x94\x91\"");
}

TEST(QuoteTest, JsonOfWhatIsNoUtf8IsRefusedWithAWayOut) {
  for (const char* text : {"\xFF", "\xC3", "\xED\xA0\x80", "\xC0\x80"})
    EXPECT_NE(Quoted(text, Quoting::kJson).find("filter base64"), std::string::npos);
}

TEST(QuoteTest, AShellTakesEachWordAsItIs) {
  EXPECT_EQ(Quoted("", Quoting::kShell), "''");
  EXPECT_EQ(Quoted("a b\n$HOME `x` \"\\", Quoting::kShell), "'a b\n$HOME `x` \"\\'");
  EXPECT_EQ(Quoted("it's", Quoting::kShell), "'it'\\''s'");
  EXPECT_NE(Quoted(std::string_view("\0", 1), Quoting::kShell).find("NUL"), std::string::npos);
}

TEST(QuoteTest, DotenvHasABackslashOnlyWhereItMust) {
  EXPECT_EQ(Quoted("", Quoting::kDotenv), "''");
  EXPECT_EQ(Quoted("a #b=$c\n\\d \"", Quoting::kDotenv), "'a #b=$c\n\\d \"'");
  EXPECT_EQ(Quoted("it's", Quoting::kDotenv), "\"it's\"");
  EXPECT_EQ(Quoted("'\\\"$`", Quoting::kDotenv), "\"'\\\\\\\"\\$\\`\"");
  EXPECT_EQ(Quoted("a\\\\b", Quoting::kDotenv), "\"a\\\\\\\\b\"")
      << "some readers halve backslashes in single quotes too";
  EXPECT_EQ(Quoted("end\\", Quoting::kDotenv), "\"end\\\\\"");
  EXPECT_NE(Quoted(std::string_view("\0", 1), Quoting::kDotenv).find("NUL"), std::string::npos);
}

TEST(QuoteTest, UrlLeavesTheUnreserved) {
  EXPECT_EQ(Quoted("AZaz09-._~", Quoting::kUrl), "AZaz09-._~");
  EXPECT_EQ(Quoted(" !*'();:@&=+$,/?#[]%", Quoting::kUrl),
            "%20%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%2F%3F%23%5B%5D%25");
  EXPECT_EQ(Quoted(std::string_view("\0\xC3\xA4", 3), Quoting::kUrl), "%00%C3%A4");
}

TEST(QuoteTest, Base64IsThatOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, encoded] : vectors) EXPECT_EQ(Quoted(text, Quoting::kBase64), encoded);
  EXPECT_EQ(Quoted("\xFB\xFF\xFE", Quoting::kBase64), "+//+");
}

TEST(QuoteTest, NoneIsTheBytes) {
  EXPECT_EQ(Quoted(std::string_view("\0\n'", 3), Quoting::kNone), std::string("\0\n'", 3));
  EXPECT_EQ(Quoted(std::string(kMaxSecretBytes, 'a'), Quoting::kNone).size(), kMaxSecretBytes);
  EXPECT_NE(Quoted(std::string(kMaxSecretBytes, 'a'), Quoting::kJson).find("1 MiB"), std::string::npos);
}

TEST(TemplateTest, PutsValuesWhereTheirNamesStand) {
  EXPECT_EQ(Made("{{a}}"), "A\"1");
  EXPECT_EQ(Made("x{{ a }}y{{\tb }}z\n"), "xA\"1yit'sz\n");
  EXPECT_EQ(Made("{{ a | json }}{{ b|shell }}{{none|dotenv}}"), "\"A\\\"1\"'it'\\''s'''");
  EXPECT_EQ(Made("{{ tls/server.key }} {{ a }} {{ a }}"), "K A\"1 A\"1");
  EXPECT_EQ(Made("{ } }} {x} %\n"), "{ } }} {x} %\n");
  EXPECT_EQ(Made("{{ \"{{\" }} a }}{{\"{{\"}}"), "{{ a }}{{");
  EXPECT_EQ(Made("{\"k\": {{ a | json }}}"), "{\"k\": \"A\\\"1\"}");
  EXPECT_EQ(Made(""), "");
}

TEST(TemplateTest, AValueIsNoTemplate) {
  EXPECT_EQ(Plain(*Rendered("{{ a }}", {{"a", "{{ b }}"}, {"b", "wrong"}})), "{{ b }}");
}

TEST(TemplateTest, NamesWhatItNeedsInOrder) {
  const auto parsed = Template::Parse(SecretText("{{ z }}{{ b | url }}{{ a }}{{ b }}{{ \"{{\" }}"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->names(), (std::vector<std::string>{"a", "b", "z"}));
  EXPECT_EQ(Plain(parsed->text()), "{{ z }}{{ b | url }}{{ a }}{{ b }}{{ \"{{\" }}");
}

TEST(TemplateTest, BadTextIsRefusedByItsLine) {
  EXPECT_EQ(Made("\n\n {{ a").substr(0, 6), "line 3");
  for (const char* text : {"{{", "{{ a }", "{{ a\n}}", "{{}}", "{{ }}", "{{ | json }}", "{{ a | }}",
                           "{{ a | upper }}", "{{ {{ a }}"}) {
    const auto parsed = Template::Parse(SecretText(text));
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::kInvalid);
    EXPECT_EQ(parsed.error().subject, "line 1") << "the line and nothing of it";
  }
  std::string many;
  for (std::size_t i = 0; i < Template::kMaxNames; ++i) many += "{{ n" + std::to_string(i) + " }}";
  EXPECT_TRUE(Template::Parse(SecretText(many)));
  EXPECT_FALSE(Template::Parse(SecretText(many + "{{ more }}")));
}

TEST(TemplateTest, AMissingOrUnfitValueIsToldByItsName) {
  const auto missing = Rendered("{{ a }}{{ gone }}", {{"a", "1"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_EQ(missing.error().subject, "gone");
  const auto unfit = Rendered("{{ a | json }}", {{"a", "\xFF"}});
  ASSERT_FALSE(unfit);
  EXPECT_EQ(unfit.error().code, Code::kInvalid);
  EXPECT_EQ(unfit.error().subject, "a");
}

TEST(TemplateTest, NothingIsLargerThanAValue) {
  const std::string half(kMaxSecretBytes / 2, 'x');
  EXPECT_EQ(Rendered("{{ a }}{{ a }}", {{"a", half}})->size(), kMaxSecretBytes);
  EXPECT_FALSE(Rendered("{{ a }}{{ a }}y{{ none }}", {{"a", half}, {"none", ""}}));
  EXPECT_FALSE(Rendered("{{ a }}{{ a }}y", {{"a", half}})) << "also by what stands behind the last name";
}

TEST(TemplateTest, LargestRenderingIsNoLess) {
  const std::string hard(100, '\x01');
  const std::string text = "{{a|json}}{{a}} {{bb|shell}}.";
  const auto made = Rendered(text, {{"a", hard}, {"bb", std::string(50, '\'')}});
  ASSERT_TRUE(made);
  const std::size_t most = LargestRendering(text.size(), {{1, 100}, {2, 50}});
  EXPECT_GE(most, made->size());
  EXPECT_LT(most, 10'000u) << "and of use";
  EXPECT_EQ(LargestRendering(kMaxSecretBytes, {{1, kMaxSecretBytes}}), kMaxSecretBytes);
  EXPECT_EQ(LargestRendering(17, {}), 17u);
}

}  // namespace
}  // namespace grantfs
