#include <gtest/gtest.h>

#include "program.h"

namespace grantfs {
namespace {

// People and agents with the real program: let in, given roles, offboarded.

void LetIn(OwnedVault& vault, const std::string& name, const std::string& kind) {
  const Finished invited = vault.Owner({"invite", "--kind", kind, name});
  ASSERT_EQ(invited.exit, 0) << invited.Told();
  EXPECT_NE(invited.err.find("lets one " + kind + " in as " + name), std::string::npos) << invited.err;
  const Finished asked = vault.Machine(name, {"enroll"}, invited.out);
  ASSERT_EQ(asked.exit, 0) << asked.Told();
  const Finished approved = vault.Owner({"approve", name});
  ASSERT_EQ(approved.exit, 0) << approved.Told();
  EXPECT_NE(approved.err.find("grantfs member add"), std::string::npos) << approved.err;
  const Finished in = vault.Machine(name, {"enroll"});
  ASSERT_EQ(in.exit, 0) << in.Told();
}

TEST(PeopleStoryTest, FromAnInvitationToTheDayThatSheLeaves) {
  OwnedVault vault;
  ASSERT_EQ(vault.Owner({"secret", "set", "shop/prod/db-password"}, "hunter2").exit, 0);
  LetIn(vault, "bea", "user");
  LetIn(vault, "ci", "agent");
  EXPECT_EQ(vault.Machine("bea", {"secret", "get", "shop/prod/db-password"}).exit, 4) << "no role yet";
  const Finished made = vault.Owner({"member", "add", "shop/prod", "bea", "--role", "reader"});
  ASSERT_EQ(made.exit, 0) << made.Told();
  EXPECT_EQ(made.out, "bea is reader of shop/prod\n");
  EXPECT_EQ(vault.Machine("bea", {"secret", "get", "shop/prod/db-password"}).out, "hunter2");
  EXPECT_EQ(vault.Machine("bea", {"secret", "set", "shop/prod/db-password"}, "x").exit, 3);
  const Finished ci =
      vault.Owner({"member", "add", "shop/prod", "ci", "--role", "writer", "--prefix", "tls", "--json"});
  ASSERT_EQ(ci.exit, 0) << ci.Told();
  EXPECT_EQ(ci.Document().Find("prefix")->AsString(), "tls/");
  EXPECT_EQ(vault.Machine("ci", {"secret", "set", "shop/prod/tls/key"}, "k").exit, 0);
  EXPECT_EQ(vault.Machine("ci", {"secret", "set", "shop/prod/other"}, "k").exit, 3);
  EXPECT_EQ(vault.Machine("ci", {"secret", "get", "shop/prod/tls/key"}).exit, 3);
  const Finished listed = vault.Owner({"member", "list", "shop/prod"});
  EXPECT_NE(listed.out.find("tls/"), std::string::npos) << listed.Told();

  const Finished other = vault.Owner({"member", "add", "shop/prod", "bea", "--role", "operator"});
  ASSERT_EQ(other.exit, 0) << other.Told();
  EXPECT_EQ(other.out, "bea is operator of shop/prod\n");
  EXPECT_EQ(vault.Machine("bea", {"secret", "get", "shop/prod/db-password"}).exit, 3);
  EXPECT_EQ(vault.Owner({"member", "add", "shop/prod", "bea", "--role", "operator"}).exit, 6);
  ASSERT_EQ(vault.Owner({"member", "add", "shop/prod", "bea", "--role", "reader"}).exit, 0);

  const Finished dry = vault.Owner({"offboard", "bea", "--dry-run"});
  ASSERT_EQ(dry.exit, 0) << dry.Told();
  EXPECT_NE(dry.out.find("would be ended"), std::string::npos) << dry.out;
  EXPECT_EQ(vault.Machine("bea", {"secret", "get", "shop/prod/db-password"}).exit, 0);
  const Finished gone = vault.Owner({"offboard", "bea", "--reason", "left", "--json"});
  ASSERT_EQ(gone.exit, 0) << gone.Told();
  EXPECT_TRUE(gone.Document().Find("removed_from_vault")->AsBool());
  EXPECT_EQ(gone.Document().Find("due")->Items().size(), 2u) << gone.out;
  EXPECT_EQ(vault.Machine("bea", {"secret", "get", "shop/prod/db-password"}).exit, 3);
  const Finished review = vault.Owner({"review", "--days", "1"});
  EXPECT_EQ(review.exit, 0) << review.Told();
  EXPECT_NE(review.err.find("and no member was unused"), std::string::npos) << review.err;
  EXPECT_EQ(review.err.find("not looked at"), std::string::npos) << review.err;
}

TEST(PeopleStoryTest, WhatAReportLeavesOutIsSaid) {
  OwnedVault vault;
  for (const char* name : {"bea", "cy"}) LetIn(vault, name, "user");
  const auto done = [](const Finished& finished) { ASSERT_EQ(finished.exit, 0) << finished.Told(); };
  done(vault.Owner({"owner", "add", "bea"}));
  done(vault.Machine("bea", {"env", "create", "blog/prod"}));
  done(vault.Owner({"member", "add", "shop/prod", "cy", "--role", "reader"}));
  const auto says = [](const Finished& finished, const std::string& what) {
    EXPECT_EQ(finished.exit, 0) << finished.Told();
    EXPECT_NE(finished.err.find(what), std::string::npos) << finished.Told();
  };
  says(vault.Owner({"review"}), "not looked at blog/prod, where you may not see");
  says(vault.Owner({"grants"}), "grants in blog/prod are not yours to see");
  says(vault.Machine("bea", {"offboard", "cy", "--dry-run"}),
       "what is to be set anew in shop/prod owners there see: grantfs offboard cy --dry-run");
  const Finished listed = vault.Owner({"grants", "--json"});
  ASSERT_EQ(listed.exit, 0) << listed.Told();
  EXPECT_EQ(listed.Document().Find("unseen")->Items().size(), 1u) << listed.out;
}

TEST(PeopleStoryTest, WhatCannotBeIsRefusedWithTheMend) {
  OwnedVault vault;
  LetIn(vault, "ci", "agent");
  vault.AddMachine("web-1");
  const auto refused = [&](const Words& words, int exit, const std::string& says) {
    const Finished done = vault.Owner(words);
    EXPECT_EQ(done.exit, exit) << done.Told();
    EXPECT_NE(done.err.find(says), std::string::npos) << done.err;
  };
  refused({"invite", "--kind", "group", "x"}, 2, "a user, a machine or an agent");
  refused({"mend", "shop/prod"}, 2, "environment/shop/prod");
  refused({"mend", "vault", "--vouch", "--void"}, 2, "one of --vouch and --void");
  refused({"mend", "vault", "--vouch", "--yes"}, 2, "somebody has to look");
  refused({"mend", "environment/shop/prod#2", "--void", "--yes"}, 4, "nothing to mend");
  refused({"member", "add", "shop/prod", "ci"}, 2, "--role");
  refused({"member", "add", "shop/prod", "ci", "--role", "king"}, 2, "owner, reader, writer");
  refused({"member", "add", "shop/prod", "ci", "--role", "reader"}, 2, "an agent never reads");
  refused({"member", "add", "shop/prod", "ci", "--role", "operator", "--prefix", "tls/"}, 2, "only a writer");
  refused({"member", "add", "shop/prod", "ci", "--role", "writer", "--prefix", "../"}, 2, "a prefix");
  refused({"member", "add", "shop/prod", "web-1", "--role", "auditor"}, 4, "grantfs invite");
  refused({"member", "add", "shop/none", "ci", "--role", "writer"}, 4, "grantfs env list");
  refused({"member", "remove", "shop/prod", "ci"}, 4, "is no member");
  refused({"member", "remove", "shop/prod", "ada"}, 2, "yourself");
  refused({"owner", "add", "ci"}, 2, "only a user can");
  refused({"owner", "remove", "ada"}, 2, "yourself");
  refused({"owner", "remove", "bea"}, 4, "grantfs owner list");
  refused({"offboard", "web-1"}, 2, "grantfs identity remove");
  refused({"offboard", "bea"}, 4, "grantfs identity list");
  refused({"review", "--days", "4000"}, 2, "days");
}

TEST(PeopleStoryTest, TheVaultIsHandedOver) {
  OwnedVault vault;
  LetIn(vault, "bea", "user");
  EXPECT_EQ(vault.Machine("bea", {"env", "create", "blog/prod"}).exit, 3);
  const Finished added = vault.Owner({"owner", "add", "bea"});
  ASSERT_EQ(added.exit, 0) << added.Told();
  EXPECT_EQ(vault.Owner({"owner", "add", "bea"}).exit, 6);
  EXPECT_EQ(vault.Machine("bea", {"env", "create", "blog/prod"}).exit, 0);
  const Finished removed = vault.Machine("bea", {"owner", "remove", "ada"});
  ASSERT_EQ(removed.exit, 0) << removed.Told();
  const Finished listed = vault.Machine("bea", {"owner", "list", "--json"});
  EXPECT_EQ(listed.Document().Find("owners")->Items().size(), 2u) << listed.Told();
  EXPECT_EQ(vault.Owner({"invite", "web-1"}).exit, 3);
}

}  // namespace
}  // namespace grantfs
