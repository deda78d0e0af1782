// CONFIG_DIR and DATA_DIR.
#include "app/directories.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace lightship::app {
namespace {

std::filesystem::path home() {
  if (const char* named = std::getenv("HOME"); named != nullptr && *named != 0) return named;
  const auto* user = ::getpwuid(::getuid());
  return user != nullptr && user->pw_dir != nullptr ? user->pw_dir : "/";
}

constexpr std::string_view kCommunicationExample =
    R"(# Who we are and where data goes. Every key: docs/configuration.md; check with: lightship check
device_id: my-site

communication:
  # mqtt_config:
  #   host: broker.example
  #   port: 1883
  #   username: user
  #   password: !secret mqtt        # from secrets.yaml, mode 0600
  #   topics:
  #     electrical: {measurements: "site/{connection_id}/{client_id}"}

  # modbus_tcp_gateway:
  #   enabled: true
  #   host: 127.0.0.1
  #   port: 4196
)";

constexpr std::string_view kSlavesExample =
    R"(# The lines and sockets, and the devices behind them. Take the '#' off what you need.
connections: []
#  - id: main-panel
#    connection_type: serial          # serial, tcp, rtu_over_tcp, ascii, udp
#    port: /dev/serial/by-id/usb-FTDI-if00
#    baud_rate: 9600
#    clients:
#      - id: meter-1
#        type: electrical
#        unit_id: 1
#        meter_model: schneider_em6400
#        profile: basic_power
#        mqtt_enabled: true
#        expose_via_tcp: true
#  - id: press
#    connection_type: tcp
#    host: 192.0.2.100
#    clients:
#      - id: plc
#        type: machine
#        unit_id: 1
#        registers:
#          temperature: {address: 0, data_type: int16, scale: 0.1, unit: "°C"}
)";

}  // namespace

std::filesystem::path default_config_dir() { return home() / ".config/lightship"; }
std::filesystem::path default_data_dir() { return home() / ".local/share/lightship"; }

Result<bool> make_config_dir(const std::filesystem::path& directory) {
  std::error_code failed;
  if (std::filesystem::exists(directory, failed)) return false;
  std::filesystem::create_directories(directory, failed);
  if (failed)
    return fail(Errc::unavailable, "cannot make {}: {}", directory.string(), failed.message());
  for (const auto& [name, text] : {std::pair{"communication.yaml", kCommunicationExample},
                                   {"slave_config.yaml", kSlavesExample}}) {
    if (auto written = write_file_atomic(directory / name, text); !written)
      return fail(written.error());
  }
  return true;
}

Result<DataLock> DataLock::take(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed)
    return fail(Errc::unavailable, "cannot make the data directory {}: {}", directory.string(),
                failed.message());
  const auto file = directory / "lightship.lock";
  const int fd = open_owned(file, O_RDWR, 0644);
  if (fd < 0) {
    return fail(Errc::unavailable, "cannot write to the data directory {}: {}", directory.string(),
                std::strerror(errno));
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    const auto got = ::pread(fd, pid, sizeof pid - 1, 0);
    ::close(fd);
    return fail(Errc::unavailable,
                "the data directory {} belongs to another running lightship{}; give this one its "
                "own with --data",
                directory.string(), got > 0 ? fmt::format(" (pid {})", trim(pid)) : "");
  }
  const auto text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    const int why = errno;
    ::close(fd);
    return fail(Errc::unavailable, "cannot write to the data directory {}: {}", directory.string(),
                std::strerror(why));
  }
  return DataLock(fd);
}

DataLock::DataLock(DataLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
DataLock::~DataLock() {
  if (fd_ >= 0) ::close(fd_);
}

std::uint64_t free_space(const std::filesystem::path& directory) {
  std::error_code failed;
  const auto space = std::filesystem::space(directory, failed);
  return failed ? 0 : space.available;
}

}  // namespace lightship::app
