// Member by member, list by list.
#include "portal/live/merge_patch.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace lightship::portal {

namespace json = boost::json;

namespace {

// How many stay where the patch does not say; the same number is in web/src/live/merge.ts.
constexpr std::size_t kKeep = 5000;
// Lists are compared shifted by each number of places; beyond this length they are told whole.
constexpr std::size_t kLongest = 512;

bool looks_like_addition(const json::object& object) {
  const auto* append = object.if_contains("append");
  return append && append->is_array();
}

// An object told to one who has none there: what can be said of it.
json::value as_new(const json::object& object, bool& exact) {
  json::object said;
  for (const auto& [key, member] : object) {
    if (member.is_null()) {
      exact = false;
    } else if (!member.is_object()) {
      said.emplace(key, member);
    } else if (looks_like_addition(member.get_object())) {
      exact = false;
    } else {
      said.emplace(key, as_new(member.get_object(), exact));
    }
  }
  return said;
}

json::value list_patch(const json::array& before, const json::array& after) {
  if (before.size() > kLongest || after.size() > kLongest) return after;
  for (std::size_t gone = 0; gone < before.size(); ++gone) {
    const std::size_t same = before.size() - gone;
    if (same > after.size() || !std::equal(after.begin(), after.begin() + same, &before[gone]))
      continue;
    json::object patch;
    patch.emplace("append", json::array(after.begin() + same, after.end()));
    if (gone > 0) patch.emplace("keep", after.size());
    return patch;
  }
  return after;
}

Difference object_patch(const json::object& before, const json::object& after) {
  Difference found;
  json::object patch;
  for (const auto& [key, member] : after) {
    const auto* old = before.if_contains(key);
    if (old && *old == member) continue;
    if (member.is_null()) {
      found.exact = false;
    } else if (!old && member.is_object() && looks_like_addition(member.get_object())) {
      found.exact = false;
    } else if (!old && member.is_object()) {
      patch.emplace(key, as_new(member.get_object(), found.exact));
    } else if (!old) {
      patch.emplace(key, member);
    } else {
      auto inner = difference(*old, member);
      found.exact = found.exact && inner.exact;
      if (inner.patch) patch.emplace(key, std::move(*inner.patch));
    }
  }
  for (const auto& [key, member] : before)
    if (!after.contains(key)) patch.emplace(key, nullptr);
  if (!patch.empty()) found.patch = std::move(patch);
  return found;
}

}  // namespace

Difference difference(const json::value& before, const json::value& after) {
  if (before == after) return {};
  if (after.is_array() && before.is_array())
    return {list_patch(before.get_array(), after.get_array()), true};
  if (!after.is_object()) return {after, true};
  if (before.is_object()) return object_patch(before.get_object(), after.get_object());
  if (before.is_array() && looks_like_addition(after.get_object())) return {std::nullopt, false};
  Difference found;
  found.patch = as_new(after.get_object(), found.exact);
  return found;
}

json::value merged(json::value target, const json::value& patch) {
  if (!patch.is_object()) return patch;
  const auto& members = patch.get_object();
  if (target.is_array() && looks_like_addition(members)) {
    auto& list = target.get_array();
    const auto& more = members.at("append").get_array();
    list.insert(list.end(), more.begin(), more.end());
    const auto* keep = members.if_contains("keep");
    const std::size_t most = keep && keep->is_number() ? keep->to_number<std::size_t>() : kKeep;
    if (list.size() > most)
      list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(list.size() - most));
    return target;
  }
  json::object result;
  if (target.is_object()) result = std::move(target.get_object());
  for (const auto& [key, member] : members) {
    auto* old = result.if_contains(key);
    if (member.is_null()) {
      if (old) result.erase(key);
    } else if (old) {
      *old = merged(std::move(*old), member);
    } else if (member.is_object() && looks_like_addition(member.get_object())) {
      result.emplace(key, merged(json::array(), member));
    } else {
      result.emplace(key, merged(json::value(), member));
    }
  }
  return result;
}

}  // namespace lightship::portal
