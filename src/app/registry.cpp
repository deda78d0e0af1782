// Reads modules.def: no static initialisers, nothing that a linker can drop.
#include "app/registry.h"

namespace lightship {
#define SOURCE(name) std::unique_ptr<config::Module> make_source_##name();
#define SINK(name) std::unique_ptr<config::Module> make_sink_##name();
#define NOTIFIER(name) std::unique_ptr<config::Module> make_notifier_##name();
#include "modules.def"
#undef SOURCE
#undef SINK
#undef NOTIFIER
}  // namespace lightship

namespace lightship::app {

const std::vector<BuiltIn>& built_in() {
  static const std::vector<BuiltIn> all{
#define SOURCE(name) {"source", #name, make_source_##name},
#define SINK(name) {"sink", #name, make_sink_##name},
#define NOTIFIER(name) {"notifier", #name, make_notifier_##name},
#include "modules.def"
#undef SOURCE
#undef SINK
#undef NOTIFIER
  };
  return all;
}

}  // namespace lightship::app
