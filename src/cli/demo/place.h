// Where the demo lives: its directories, and the configuration the gateway reads there.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "sim/site.h"

namespace lightship::cli {

struct DemoPorts {
  std::uint16_t portal = 0, gateway = 0, mqtt = 0;
};

class DemoPlace {
 public:
  // `data` empty: in the temporary directory too.
  static Result<DemoPlace> make(const std::filesystem::path& data);
  DemoPlace(DemoPlace&& other) noexcept
      : root_(std::exchange(other.root_, {})), data_(std::move(other.data_)) {}
  DemoPlace& operator=(DemoPlace&&) = delete;
  ~DemoPlace();  // what is temporary is removed

  std::filesystem::path config() const { return root_ / "config"; }
  std::filesystem::path broker() const { return root_ / "broker"; }
  const std::filesystem::path& data() const { return data_; }
  std::filesystem::path log() const { return data_ / "demo.log"; }

 private:
  DemoPlace() = default;
  std::filesystem::path root_, data_;
};

// slave_config.yaml, communication.yaml and portal.yaml, as a user would write them.
Result<void> write_site_config(const std::filesystem::path& directory,
                               const sim::SiteAddresses& site, DemoPorts ports);

}  // namespace lightship::cli
