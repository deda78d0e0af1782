// Collects what the readers find and writes it.
#include "portal/api/diag.h"

#include "base/json_writer.h"
#include "link/serial_ports.h"
#include "portal/diag/hardware.h"
#include "portal/diag/storage.h"
#include "portal/diag/time_facts.h"
#include "portal/shared_answer.h"

namespace lightship::portal {
namespace {

// The field loop may hang: then what it alone knows is missing.
Task<OurUses> ask_uses(DiagDesk& desk) {
  std::function<OurUses(Context&)> question = [uses = desk.uses](Context&) { return uses(); };
  auto answer = co_await desk.field.ask(std::move(question));
  co_return answer.value_or(OurUses{});
}

void member_or_null(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty())
    json.null();
  else
    json.value(text);
}

template <class T>
void member_or_null(JsonWriter& json, std::string_view name, const std::optional<T>& number) {
  json.key(name);
  if (number)
    json.value(*number);
  else
    json.null();
}

double rounded(double number) { return std::round(number * 10) / 10; }

void write_serial(JsonWriter& json, const OurUses& uses) {
  json.key("serial").begin_array();
  for (const auto& port : link::serial_ports()) {
    std::string by_id, used_by;
    for (const auto& name : port.stable) {
      if (by_id.empty() && name.find("/by-id/") != std::string::npos) by_id = name;
    }
    for (const auto& use : uses.ports) {
      std::error_code missing;
      const auto real = std::filesystem::canonical(use.port, missing);
      if (use.port == port.device || (!missing && real == port.device)) used_by = use.part;
    }
    json.begin_object().member("device", port.device).member("driver", port.driver);
    member_or_null(json, "by_id", by_id);
    member_or_null(json, "used_by", used_by);
    json.end_object();
  }
  json.end_array();
}

// On the worker.
std::string read_hardware(const OurUses& uses, const std::filesystem::path& config_dir,
                          const std::filesystem::path& data_dir) {
  const SysTree tree;
  const auto kernel = portal::kernel();
  const auto processor = cpu(tree, kernel.machine);
  const auto figures = system_figures(tree);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  member_or_null(json, "board", board(tree));
  json.key("cpu").begin_object().member("model", processor.model).member("cores", processor.cores);
  json.member("architecture", processor.architecture);
  member_or_null(json, "frequency_mhz", processor.frequency_mhz);
  json.end_object();
  json.key("memory").begin_object().member("bytes", figures.memory);
  json.member("used_bytes", figures.memory_used).member("swap_bytes", figures.swap);
  json.member("swap_used_bytes", figures.swap_used).end_object();
  json.key("temperatures").begin_array();
  for (const auto& one : temperatures(tree)) {
    json.begin_object().member("name", one.name).member("celsius", rounded(one.celsius));
    member_or_null(json, "limit_c", one.limit_c);
    json.end_object();
  }
  json.end_array().key("storage").begin_array();
  for (const auto& one : storage(tree, our_places(config_dir, data_dir), space_of)) {
    json.begin_object().member("path", one.path).member("device", one.device);
    json.member("filesystem", one.filesystem).member("bytes", one.bytes);
    json.member("free_bytes", one.free_bytes);
    member_or_null(json, "wear_percent", one.wear_percent);
    json.key("holds").begin_array();
    for (const auto& what : one.holds) json.value(what);
    json.end_array().end_object();
  }
  json.end_array();
  write_serial(json, uses);
  json.key("gpio").begin_array();
  for (const auto& chip : gpio_chips(tree)) {
    json.begin_object().member("chip", chip.chip).member("label", chip.label);
    json.member("lines", chip.lines).end_object();
  }
  json.end_array().member("os", os_name(tree)).member("kernel", kernel.release).end_object();
  return out;
}

std::string write_network(const std::vector<Reach>& reached) {
  const SysTree tree;
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("interfaces").begin_array();
  for (const auto& one : interfaces(tree, interfaces_now())) {
    json.begin_object().member("name", one.name).member("up", one.up);
    member_or_null(json, "mac", one.mac);
    member_or_null(json, "speed_mbit", one.speed_mbit);
    json.key("addresses").begin_array();
    for (const auto& address : one.addresses) json.value(address);
    json.end_array().member("received_bytes", one.received_bytes);
    json.member("sent_bytes", one.sent_bytes).member("errors", one.errors).end_object();
  }
  json.end_array().key("routes").begin_array();
  for (const auto& route : routes(tree)) {
    json.begin_object().member("destination", route.destination);
    member_or_null(json, "via", route.via);
    json.member("interface", route.interface).end_object();
  }
  json.end_array().key("dns").begin_array();
  for (const auto& server : name_servers(tree)) json.value(server);
  json.end_array().member("hostname", host_name()).key("reach").begin_array();
  for (const auto& one : reached) {
    json.begin_object().member("name", one.name).member("address", one.address);
    json.member("ok", one.ok);
    member_or_null(json, "ms", one.ms ? std::optional(rounded(*one.ms)) : std::nullopt);
    member_or_null(json, "error", one.error);
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

struct Watched {
  std::uint64_t steps = 0, suspends = 0;
  bool plausible = true;
};

Task<Response> answer(Task<std::string> made) { co_return json_answer(co_await std::move(made)); }

// Each look dials every broker: once for all who ask, and not again for a while.
constexpr Duration kNetworkFresh = std::chrono::seconds(10);
using SharedNetwork = SharedAnswer<std::string>;

Task<std::optional<std::string>> ask_network(DiagDesk& desk) { co_return co_await desk.network(); }

Task<Response> network_answer(DiagDesk& desk, std::shared_ptr<SharedNetwork> newest) {
  auto asking = newest->get([&desk] { return ask_network(desk); });
  Response response;
  response.content_type = "application/json";
  response.shared = co_await std::move(asking);
  co_return response;
}

}  // namespace

Task<std::string> DiagDesk::hardware() {
  const auto ours = co_await ask_uses(*this);
  auto asking = disk.run(
      [ours, config = config_dir, data = data_dir] { return read_hardware(ours, config, data); });
  co_return co_await std::move(asking);
}

Task<std::string> DiagDesk::network() {
  const auto ours = co_await ask_uses(*this);
  auto trying = reach(clock, ours.peers, kReachLimit);
  const auto reached = co_await std::move(trying);
  auto reading = disk.run([reached] { return write_network(reached); });
  co_return co_await std::move(reading);
}

Task<std::string> DiagDesk::time() {
  std::function<Watched(Context&)> question = [](Context& context) {
    const auto& watch = context.clock_watch;
    return Watched{watch.steps(), watch.suspends(), watch.plausible()};
  };
  const auto watched = (co_await field.ask(std::move(question))).value_or(Watched{});
  const auto facts = time_facts(SysTree(), kernel_clock_synchronised());
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("time", to_rfc3339(clock.now())).member("zone", facts.zone);
  member_or_null(json, "synchronised", facts.synchronised);
  member_or_null(json, "source", facts.source);
  json.member("steps", watched.steps).member("suspends", watched.suspends);
  json.member("plausible", watched.plausible).end_object();
  co_return out;
}

void add_diag(Router& router, DiagDesk& desk) {
  router.add({"GET", "/api/diag/hardware", Role::viewer,
              [&desk](const Call&) { return answer(desk.hardware()); }});
  router.add({"GET", "/api/diag/network", Role::viewer,
              [&desk, newest = std::make_shared<SharedNetwork>(desk.clock, kNetworkFresh)](
                  const Call&) { return network_answer(desk, newest); }});
  router.add({"GET", "/api/diag/time", Role::viewer,
              [&desk](const Call&) { return answer(desk.time()); }});
}

}  // namespace lightship::portal
