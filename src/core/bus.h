// The bus spreads each event: first into the cache, then into every inlet. `publish` never waits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cache.h"
#include "core/event.h"
#include "core/inlet.h"

namespace lightship {

// What a source publishes into.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void publish(Readings readings) = 0;
};

class Bus final : public Outlet {
 public:
  Bus(asio::any_io_executor executor, Cache& cache)
      : executor_(std::move(executor)), cache_(cache) {}

  void publish(Readings readings) override;

  // A new reader; it is served until it is destroyed. `capacity`: events it may be behind.
  std::unique_ptr<Inlet> subscribe(std::string name, std::size_t capacity);

  std::uint64_t published() const { return published_; }
  std::uint64_t readings() const { return readings_; }  // in all of these
  std::uint64_t dropped() const;                        // by all inlets that are there now

 private:
  asio::any_io_executor executor_;
  Cache& cache_;
  std::shared_ptr<std::vector<Inlet*>> inlets_ = std::make_shared<std::vector<Inlet*>>();
  std::uint64_t published_ = 0, readings_ = 0;
};

}  // namespace lightship
