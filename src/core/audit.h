// The audit: who changed what, from where, and how it ended. Lines of JSON that are only appended.
//
// Every write to a device is in it twice, before the request leaves ("asked") and when it has
// ended, so that a power cut between shows as the one without the other. Log-ins and changes of the
// configuration belong here too. Field loop only.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/result.h"
#include "base/worker.h"
#include "core/line_budget.h"

namespace lightship {

class Audit {
 public:
  enum class Durability {
    told,   // in the log where the file cannot be written: never a reason against what is told
    kept,   // survives the end of this program
    synced  // and a power cut: on the disk
  };
  explicit Audit(Clock& clock) : clock_(clock) {}
  virtual ~Audit() = default;

  // One line: "time" and "event", then what `members` writes. Returns when it is as durable as
  // asked for; what may not happen unaudited must wait for that, and not happen on an error.
  Task<Result<void>> record(std::string_view event, const std::function<void(JsonWriter&)>& members,
                            Durability durability);

  // The lines since then, oldest first, those that were just recorded included. `take` is called on
  // another thread, and never after this has returned.
  virtual Task<Result<void>> read_back(Time since, std::function<void(std::string_view)> take) = 0;

  // Lines for refused writes: so many at once, then one each so often, all together. With at most
  // 2 kB each, a day of nothing but refusals is 17 MB, and what is newer than that stays.
  static constexpr unsigned kRefusalsAtOnce = 20;
  static constexpr Duration kRefusalEach = std::chrono::seconds(10);
  LineBudget& refusals() { return refusals_; }
  // Those of the last minutes are part of it, once for each program: a command that is refused and
  // run again and again.
  Task<void> recall_refusals();

  // Ties an end to its beginning: different in every call, also after a restart.
  std::string next_id();

 protected:
  virtual Task<Result<void>> keep(std::string line, Durability durability) = 0;

 private:
  Clock& clock_;
  std::uint64_t ids_ = 0;
  LineBudget refusals_{kRefusalsAtOnce, kRefusalEach};
  bool refusals_recalled_ = false;
};

// Appends to a file of mode 0600, of the owner of its folder also where root makes it. At
// `kMostBytes` it becomes FILE.1 and so on, and the oldest goes. Several programs may append to the
// same one.
class AuditFile final : public Audit {
 public:
  static constexpr std::uintmax_t kMostBytes = 8 << 20;
  static constexpr int kOlder = 4;

  // Without a file (a gateway without persistence) the log has the lines.
  AuditFile(Clock& clock, Logbook& logbook, std::filesystem::path file,
            std::uintmax_t most_bytes = kMostBytes);
  ~AuditFile() override;

  // Errc::unavailable: there is a newest file that cannot be read. An older one that cannot be is
  // left out, and the log says so.
  Task<Result<void>> read_back(Time since, std::function<void(std::string_view)> take) override;

  // Ends after the lines that were handed in.
  void stop();

 protected:
  Task<Result<void>> keep(std::string line, Durability durability) override;

 private:
  struct Pen;  // on the worker's thread
  Log log_;
  std::filesystem::path file_;
  std::shared_ptr<Pen> pen_;
  std::optional<Worker> worker_;  // from the first line on: most gateways never write
};

}  // namespace lightship
