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

namespace lightship {

class Audit {
 public:
  enum class Durability {
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

  // Ties an end to its beginning: different in every call, also after a restart.
  std::string next_id();

 protected:
  virtual Task<Result<void>> keep(std::string line, Durability durability) = 0;

 private:
  Clock& clock_;
  std::uint64_t ids_ = 0;
};

// Appends to a file of mode 0600. At `kMostBytes` it becomes FILE.1 and so on, and the oldest goes.
// Several programs may append to the same one.
class AuditFile final : public Audit {
 public:
  static constexpr std::uintmax_t kMostBytes = 8 << 20;
  static constexpr int kOlder = 4;

  // Without a file (a gateway without persistence) the log has the lines.
  AuditFile(Clock& clock, Logbook& logbook, std::filesystem::path file,
            std::uintmax_t most_bytes = kMostBytes);
  ~AuditFile() override;

  // Errc::unavailable: there is a file that cannot be read.
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
