// A pseudo terminal as a serial port: what is written to its device is read here, and the other way
// round.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace lightship::sim {

class Pty {
 public:
  // Raw from the start, so that nothing is echoed before a program has opened it. With `link_as`
  // the device has a second, stable name, which is taken away again at the end.
  static Result<Pty> open(std::filesystem::path link_as = {});

  Pty(Pty&& other) noexcept;
  Pty& operator=(Pty&&) = delete;
  ~Pty();

  int fd() const { return master_; }  // readable when something was written to the device
  const std::string& device() const { return device_; }  // the link where there is one
  std::size_t read(std::span<std::uint8_t> into);        // what is there; does not wait
  void write(Bytes bytes);      // what does not fit, because nobody reads, is lost
  std::size_t waiting() const;  // bytes written to the device and not yet read here

 private:
  Pty() = default;

  int master_ = -1;
  int slave_ = -1;  // held open: without any user of the device reading here would fail
  std::string device_;
  std::filesystem::path link_;
};

}  // namespace lightship::sim
