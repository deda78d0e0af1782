// A house of one device, for one write.
#include "cli/write_direct.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "app/control_commands.h"
#include "base/file.h"
#include "cli/direct_line.h"

namespace lightship::cli {
namespace {

struct Workbench {
  explicit Workbench(const DeviceTarget& target, const std::filesystem::path& data_dir)
      : audit(clock, logbook, data_dir / "audit.jsonl"),
        line(loop.get_executor(), clock, target),
        writer(context, line, target.setup.info.connection) {
    device = catalog.device(target.setup.info);
    std::vector<PointId> points;
    for (const auto& point : target.setup.points)
      points.push_back(catalog.point(device, point.name, point.unit,
                                     {point.where.space, point.where.address, point.where.count}));
    catalog.set_points(device, points);
    writer.add(device, target.setup);
  }

  asio::io_context loop{1};
  SystemClock clock;
  Logbook logbook{clock, stderr, Logbook::Form::text, Level::error};
  Catalog catalog;
  Cache cache{catalog};
  Bus bus{loop.get_executor(), cache};
  Metrics metrics;
  Progress progress{clock};
  Owners owners;
  Alerts alerts{clock};
  ClockWatch clock_watch{clock, Time{}};
  Worker files;
  std::map<std::string, std::shared_ptr<void>> heirlooms;
  AuditFile audit;
  Context context{loop.get_executor(),
                  clock,
                  logbook,
                  catalog,
                  cache,
                  bus,
                  metrics,
                  progress,
                  owners,
                  alerts,
                  clock_watch,
                  files,
                  heirlooms,
                  "command line",
                  {},
                  {},
                  &audit};
  DirectLine line;
  poller::Writer writer;
  DeviceId device{};
};

// One command at a time writes: what one has written is in the audit before the next one looks how
// often it may. Given back by the end of the program at the latest.
class WriteLock {
 public:
  static Result<WriteLock> take(const std::filesystem::path& file, Duration limit) {
    WriteLock lock(open_owned(file, O_RDWR, 0600));
    if (lock.fd_ < 0)
      return fail(Errc::unavailable, "cannot open {}: {}; nothing was written", file.string(),
                  std::strerror(errno));
    const auto until = steady_now() + limit;
    while (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR)
        return fail(Errc::unavailable, "cannot lock {}: {}; nothing was written", file.string(),
                    std::strerror(errno));
      if (steady_now() >= until) {
        return fail(
            Error{Errc::unavailable,
                  "another lightship write is under way, and has not ended in time; nothing "
                  "was written",
                  EBUSY});
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return lock;
  }
  WriteLock(WriteLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  WriteLock& operator=(WriteLock&&) = delete;
  ~WriteLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit WriteLock(int fd) : fd_(fd) {}
  int fd_;
};

Task<void> perform(Workbench& bench, PointWrite what, Duration limit, Result<Written>& ended) {
  bench.writer.start();
  auto writing = bench.writer.write_point(bench.device, std::move(what), limit);
  ended = co_await std::move(writing);
  co_await bench.writer.stop();
  co_await bench.line.close();
}

}  // namespace

Result<std::string> write_direct(const DeviceTarget& target, const WriteOptions& options) {
  std::error_code failed;
  std::filesystem::create_directories(options.data_dir, failed);
  if (failed) {
    return fail(Errc::unavailable,
                "cannot make the data directory {}, which has the audit: {}; nothing was written",
                options.data_dir.string(), failed.message());
  }
  const auto lock = WriteLock::take(options.data_dir / "write.lock", options.timeout);
  if (!lock) return fail(lock.error());
  Workbench bench(target, options.data_dir);
  PointWrite what;
  what.point = *bench.catalog.find_point(target.setup.info.id() + "/" + options.point);
  what.value = options.value;
  if (options.expected) what.expected = *options.expected;
  what.by = fmt::format("command line, uid {} pid {}, no gateway running", ::getuid(), ::getpid());
  Result<Written> ended = fail(Errc::unavailable, "not asked");
  asio::co_spawn(bench.loop, perform(bench, std::move(what), options.timeout, ended),
                 [](std::exception_ptr why) {
                   if (why) std::rethrow_exception(why);
                 });
  bench.loop.run();
  bench.audit.stop();
  if (!ended) return fail(ended.error());
  return app::write_reply(target.setup.info.id(), options.point, *ended);
}

}  // namespace lightship::cli
