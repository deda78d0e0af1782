// A list that costs nothing to copy: all copies look at the same elements until one of them is
// changed, which then gets elements of its own.
//
// For what many things have alike and nobody changes later: the points of the devices of one model.
// Loop thread only.
#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace lightship {

template <class T>
class SharedList {
 public:
  using value_type = T;
  using const_iterator = typename std::vector<T>::const_iterator;

  SharedList() = default;
  SharedList(std::vector<T> all) : all_(std::make_shared<std::vector<T>>(std::move(all))) {}
  SharedList(std::initializer_list<T> all) : SharedList(std::vector<T>(all)) {}

  const std::vector<T>& all() const {
    static const std::vector<T> nothing;
    return all_ ? *all_ : nothing;
  }
  operator const std::vector<T>&() const { return all(); }

  const_iterator begin() const { return all().begin(); }
  const_iterator end() const { return all().end(); }
  std::size_t size() const { return all().size(); }
  bool empty() const { return all().empty(); }
  const T& operator[](std::size_t at) const { return all()[at]; }
  const T& front() const { return all().front(); }
  const T& back() const { return all().back(); }

  // For changes. What it gives is this list's own until the next copy is made of it.
  std::vector<T>& own() {
    if (!all_ || all_.use_count() > 1) all_ = std::make_shared<std::vector<T>>(all());
    return *all_;
  }
  void push_back(T one) { own().push_back(std::move(one)); }

  bool is_same_as(const SharedList& other) const { return all_ == other.all_; }
  friend bool operator==(const SharedList& one, const SharedList& other) {
    return one.is_same_as(other) || one.all() == other.all();
  }

 private:
  std::shared_ptr<std::vector<T>> all_;
};

// The lists that were seen so far; instead of an equal one the first of them is given.
template <class T>
class SharedLists {
 public:
  SharedList<T> same(SharedList<T> list) {
    for (const auto& one : seen_) {
      if (one == list) return one;
    }
    seen_.push_back(list);
    return list;
  }

 private:
  std::vector<SharedList<T>> seen_;
};

}  // namespace lightship
