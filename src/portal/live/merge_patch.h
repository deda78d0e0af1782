// The difference of two JSON values as a merge patch (RFC 7396), with one addition for lists:
// {"append":[...],"keep":N} lengthens a list and keeps its newest N.
//
// A merge patch cannot set a member to null, for null removes; nor can it make a member that looks
// like the addition. Such a change is left out of the patch and `exact` is false: then only the
// whole value says it. web/src/live/merge.ts is the other side; tests/vectors/merge_patch.json is
// read by the tests of both.
#pragma once

#include <optional>

#include <boost/json/value.hpp>

namespace lightship::portal {

struct Difference {
  std::optional<boost::json::value> patch;  // nothing: there is nothing that a patch can say
  bool exact = true;
};

Difference difference(const boost::json::value& before, const boost::json::value& after);

// What one who applies the patch has then.
boost::json::value merged(boost::json::value target, const boost::json::value& patch);

}  // namespace lightship::portal
