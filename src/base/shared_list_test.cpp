// Copies that share until they differ.
#include "base/shared_list.h"

#include <string>

#include <gtest/gtest.h>

namespace lightship {
namespace {

using Names = SharedList<std::string>;

TEST(SharedList, SharesItsElementsWithItsCopies) {
  const Names one{"a", "b"};
  const Names two = one;
  EXPECT_TRUE(two.is_same_as(one));
  EXPECT_EQ(&one[1], &two[1]);
}

TEST(SharedList, ChangesNothingOfItsCopies) {
  Names one{"a", "b"};
  const Names two = one;
  one.push_back("c");
  EXPECT_EQ(one.all(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(two.all(), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(two.is_same_as(one));
}

TEST(SharedList, KeepsItsElementsWhenNobodyElseLooksAtThem) {
  Names one{"a"};
  const auto* before = &one[0];
  one.own()[0] = "b";
  EXPECT_EQ(&one[0], before);
}

TEST(SharedList, IsEmptyBeforeItHasAnything) {
  Names none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none, Names{});
  none.push_back("a");
  EXPECT_EQ(none.size(), 1u);
}

TEST(SharedLists, GivesTheFirstOfEqualLists) {
  SharedLists<std::string> seen;
  const auto one = seen.same({"a", "b"});
  const auto other = seen.same({"a"});
  EXPECT_TRUE(seen.same({"a", "b"}).is_same_as(one));
  EXPECT_TRUE(seen.same({"a"}).is_same_as(other));
  EXPECT_FALSE(one.is_same_as(other));
}

}  // namespace
}  // namespace lightship
