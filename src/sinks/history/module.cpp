// The history as the house sees it: communication.history.
#include "config/module.h"
#include "sinks/history/history_sink.h"

namespace lightship::history {
namespace {

// Without a data directory there is nowhere to keep anything.
class NoHistory final : public Runner {
 public:
  explicit NoHistory(Context& context) : context_(context) {}
  Task<Error> run() override {
    for (;;) co_await context_.clock.sleep_for(std::chrono::hours(1));
  }

 private:
  Context& context_;
};

class HistoryModule final : public config::Module {
 public:
  void declare(config::SiteFiles& files) override {
    files.section("communication.yaml", "communication.history",
                  "what is kept of the past, in DATA_DIR/history.db", [this](config::Fields& f) {
                    describe(f, config_);
                    if (!f.describing()) fingerprint_ = config::fingerprint(f);
                  });
  }

  std::vector<Part> parts(const config::Site& site) override {
    if (!config_.enabled || site.devices.empty()) return {};
    // A device whose points are kept otherwise changes the recorder's plan.
    auto fingerprint = fingerprint_;
    for (const auto& device : site.devices) {
      if (device.info.history != Keep::raw)
        fingerprint +=
            fmt::format("|{}={}", device.info.id(), static_cast<int>(device.info.history));
    }
    return {{"history", Part::Kind::sink, fingerprint,
             [config = config_](Context& context) -> std::unique_ptr<Runner> {
               if (context.data_dir.empty()) return std::make_unique<NoHistory>(context);
               return std::make_unique<HistorySink>(context, config);
             }}};
  }

 private:
  HistoryConfig config_;
  std::string fingerprint_;
};

}  // namespace
}  // namespace lightship::history

namespace lightship {
std::unique_ptr<config::Module> make_sink_history() {
  return std::make_unique<history::HistoryModule>();
}
}  // namespace lightship
