#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "grantfs/crypto/random.h"
#include "grantfs/util/kept_memory.h"
#include "mount/tree/kept_files_internal.h"
#include "mount/tree/open_files_internal.h"

namespace grantfs {
namespace {

const NodeId kNodeOfOne = SecretNode(7, 1);

std::shared_ptr<OpenFile> OpenVersion(std::uint32_t node_version, std::uint32_t version) {
  auto file = std::make_shared<OpenFile>();
  file->node = SecretNode(7, node_version);
  file->version = version;
  file->bound = node_version != version;
  file->attributes.size = node_version;
  file->value = std::make_shared<OpenValue>(SecretValue(*SecretMemory::Allocate(10)));
  return file;
}

TEST(OpenFilesTest, ShareThePlaintextOfAVersion) {
  ASSERT_TRUE(InitCrypto());
  std::atomic<std::uint64_t> next{1};
  KeptFiles kept(nullptr, &next);
  OpenFiles files(&kept);
  const auto first = files.Add(OpenVersion(1, 1));
  const auto second = files.Add(OpenVersion(1, 1));
  const auto other = files.Add(OpenVersion(2, 2));
  const auto by_bind = files.Add(OpenVersion(1, 2));
  EXPECT_NE(first, second);
  EXPECT_EQ(files.Find(first)->value, files.Find(second)->value);
  EXPECT_EQ(files.Find(other)->value, files.Find(by_bind)->value);
  EXPECT_NE(files.Find(first)->value, files.Find(by_bind)->value);
  EXPECT_EQ(files.Secrets(), 4U);
  const std::weak_ptr<OpenValue> value = files.Find(first)->value;
  files.Remove(first);
  EXPECT_FALSE(value.expired());
  files.Remove(second);
  EXPECT_TRUE(value.expired());
  EXPECT_EQ(files.Find(first), nullptr);
  files.Remove(first);
  EXPECT_EQ(files.Secrets(), 2U);
}

TEST(OpenFilesTest, HowOftenAReportIsOpenedLeavesRoomForSecrets) {
  ASSERT_TRUE(InitCrypto());
  const UniqueFd memory = *KeptMemory::Make(OpenFiles::kMostKeptReportBytes * 2);
  const auto kept_memory = *KeptMemory::Attach(memory.get());
  std::atomic<std::uint64_t> next{1};
  KeptFiles kept(kept_memory.get(), &next);
  OpenFiles files(&kept);
  const auto in_memory = [&] {
    std::size_t count = 0;
    kept_memory->ForEach(kKeptReport, [&](ByteView, ByteView) { ++count; });
    return count;
  };
  const auto open = [&](std::size_t size, int times) {
    std::vector<std::uint64_t> handles;
    for (int i = 0; i < times; ++i) {
      auto file = std::make_shared<OpenFile>();
      file->node = kStatusNode;
      file->report = std::make_shared<std::string>(size, 'x');
      handles.push_back(files.Add(std::move(file)));
    }
    return handles;
  };
  const auto close = [&](const std::vector<std::uint64_t>& handles) {
    for (const std::uint64_t handle : handles) EXPECT_TRUE(files.Remove(handle));
  };
  const auto small = open(100, 5000);
  EXPECT_EQ(in_memory(), OpenFiles::kMostKeptReports);
  EXPECT_EQ(files.Find(small.back())->report->size(), 100U) << "and is served all the same";
  files.Add(OpenVersion(1, 1));
  EXPECT_TRUE(kept_memory->Has(kKeptEvidence, {reinterpret_cast<const std::uint8_t*>(&kNodeOfOne), 8}));
  close(small);
  EXPECT_EQ(in_memory(), 0U);
  const auto large = open(std::size_t{1} << 20, 100);
  EXPECT_EQ(in_memory(), OpenFiles::kMostKeptReportBytes >> 20);
  close(large);
  open(100, 1);
  EXPECT_EQ(in_memory(), 1U) << "there is room again";
}

/// Two workers, one after the other, that keep what is open in one memory.
class KeptFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(InitCrypto());
    memory_ = *KeptMemory::Make(std::size_t{4} << 20);
    Attach();
  }
  void Attach() {
    attached_.reset();
    attached_ = *KeptMemory::Attach(memory_.get());
    kept_.emplace(attached_.get(), &next_);
  }
  std::size_t Kept(std::uint32_t kind) const {
    std::size_t count = 0;
    attached_->ForEach(kind, [&](ByteView, ByteView) { ++count; });
    return count;
  }
  std::uint64_t Open(OpenFiles* files, std::uint64_t unique) {
    auto file = OpenVersion(1, 1);
    file->evidence = "evidence";
    file->unique = unique;
    file->opener = 33;
    return files->Add(std::move(file));
  }

  std::atomic<std::uint64_t> next_{1};
  UniqueFd memory_;
  std::unique_ptr<KeptMemory> attached_;
  std::optional<KeptFiles> kept_;
};

TEST_F(KeptFilesTest, AVersionIsMadeOnceByTheNextWorkerAndOnlyWhenItIsRead) {
  {
    OpenFiles before(&*kept_);
    for (std::uint64_t unique = 10; unique < 15; ++unique) Open(&before, unique);
    EXPECT_EQ(Kept(kKeptEvidence), 1U);
  }
  Attach();
  OpenFiles files(&*kept_);
  for (auto& [handle, file] : kept_->OpenFiles()) files.Restore(handle, std::move(file));
  EXPECT_EQ(files.Secrets(), 5U);
  int made = 0;
  bool works = false;
  const auto bytes = [&](std::uint64_t unique) {
    const auto file = files.Find(*files.HandleOf(unique));
    const auto content = file->value->Bytes([&]() -> Result<SecretValue> {
      EXPECT_EQ(kept_->EvidenceOf(*file), "evidence");
      if (!works) return Error{Code::kNoSpace, "no memory", 0, {}};
      ++made;
      return SecretValue(*SecretMemory::Allocate(10));
    });
    return content ? content->size() : 0;
  };
  EXPECT_EQ(bytes(10), 0U);
  works = true;
  for (std::uint64_t unique = 10; unique < 15; ++unique) EXPECT_EQ(bytes(unique), 10U);
  EXPECT_EQ(made, 1);
  for (std::uint64_t unique = 10; unique < 15; ++unique) files.Remove(*files.HandleOf(unique));
  EXPECT_EQ(Kept(kKeptHandle) + Kept(kKeptEvidence), 0U);
}

TEST_F(KeptFilesTest, WhoOpensAVersionThatWasOpenBringsItsValue) {
  OpenFiles before(&*kept_);
  Open(&before, 10);
  Attach();
  OpenFiles files(&*kept_);
  for (auto& [handle, file] : kept_->OpenFiles()) files.Restore(handle, std::move(file));
  Open(&files, 20);
  EXPECT_TRUE(files.Find(*files.HandleOf(10))->value->Bytes([]() -> Result<SecretValue> {
    return Error{Code::kIntegrity, "there is one", 0, {}};
  }));
}

TEST_F(KeptFilesTest, WhatIsClosedBetweenTwoWorkersIsNotOpenForTheNext) {
  OpenFiles before(&*kept_);
  const auto closed = Open(&before, 10);
  Open(&before, 20);
  const auto stays = Open(&before, 30);
  kept_->Forget(closed);
  kept_->ForgetOpen(20);
  kept_->ForgetOpen(99);
  Attach();
  const auto files = kept_->OpenFiles();
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].first, stays);
  EXPECT_EQ(Kept(kKeptEvidence), 1U);
  kept_->Forget(stays);
  EXPECT_TRUE(kept_->OpenFiles().empty());
  EXPECT_EQ(Kept(kKeptEvidence), 0U);
}

TEST_F(KeptFilesTest, OneUserHasNoMoreOpenThanHeMay) {
  std::vector<std::uint64_t> handles;
  {
    OpenFiles before(&*kept_);
    for (std::uint64_t i = 0; i < OpenFiles::kMostOfOneUser; ++i) {
      ASSERT_TRUE(before.MayOpen(33));
      handles.push_back(Open(&before, i + 1));
    }
    EXPECT_FALSE(before.MayOpen(33));
    EXPECT_TRUE(before.MayOpen(34));
  }
  Attach();
  OpenFiles files(&*kept_);
  for (auto& [handle, file] : kept_->OpenFiles()) files.Restore(handle, std::move(file));
  EXPECT_FALSE(files.MayOpen(33)) << "with the next worker too";
  files.Remove(handles[0]);
  EXPECT_TRUE(files.MayOpen(33));
}

TEST(OpenFilesTest, RememberWhatAVersionLookedLike) {
  std::atomic<std::uint64_t> next{1};
  KeptFiles kept(nullptr, &next);
  OpenFiles files(&kept);
  const auto handle = files.Add(OpenVersion(3, 3));
  files.Add(OpenVersion(4, 5));
  EXPECT_EQ(files.AttributesOf(SecretNode(7, 3))->size, 3U);
  EXPECT_FALSE(files.AttributesOf(SecretNode(7, 4))) << "a bound node shows other versions";
  EXPECT_TRUE(files.IsOpenBound(SecretNode(7, 4)));
  EXPECT_FALSE(files.IsOpenBound(SecretNode(7, 3)));
  files.Remove(handle);
  EXPECT_FALSE(files.AttributesOf(SecretNode(7, 3)));
}

}  // namespace
}  // namespace grantfs
