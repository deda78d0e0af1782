// The commands of the control socket.
#include "app/control_commands.h"

#include "app/control_line.h"
#include "base/hex.h"
#include "store/outbox_file.h"

namespace lightship::app {
namespace {

// Retired devices are not there: their numbers mean nothing to a line.
Result<DeviceId> device_of(const Context& context, const std::string& name) {
  const auto id = context.catalog.find_device(name);
  if (id && !context.catalog.retired(*id)) return *id;
  return fail(Errc::unavailable,
              "the running gateway has no device '{}'; after a change of the configuration it "
              "wants a reload (SIGHUP)",
              name);
}

Control::Answer read(Context& context, boost::json::object request) {
  const auto wanted = read_request(request);
  if (!wanted) co_return fail(wanted.error());
  const auto device = device_of(context, wanted->device);
  if (!device) co_return fail(device.error());
  auto* const reader = context.owners.reader(*device);
  if (reader == nullptr) co_return fail(Errc::unavailable, "nobody reads this device");
  auto reading =
      reader->read_registers(*device, wanted->space, wanted->first, wanted->count, wanted->limit);
  const auto data = co_await std::move(reading);
  if (!data) co_return fail(data.error());
  std::string text;
  JsonWriter(text).begin_object().member("data", to_hex(*data)).end_object();
  co_return text;
}

Control::Answer write(Context& context, boost::json::object request, ControlPeer peer) {
  const auto wanted = write_request(request);
  const auto device = device_of(context, wanted.device);
  if (!device) co_return fail(device.error());
  const auto name = context.catalog.info(*device).id();
  const auto& point_name = wanted.point;
  const auto point = context.catalog.find_point(name + "/" + point_name);
  if (!point) {
    co_return fail(Errc::unavailable,
                   "the running gateway knows no point '{}' of {}; after a change of the "
                   "configuration it wants a reload (SIGHUP)",
                   point_name, name);
  }
  auto* const writer = context.owners.writer(*device);
  if (writer == nullptr) co_return fail(Errc::unavailable, "nobody writes to {}", name);
  PointWrite what;
  what.point = *point;
  what.value = wanted.value;
  if (wanted.expected) what.expected = *wanted.expected;
  what.by = fmt::format("command line, uid {} pid {}", peer.uid, peer.pid);
  auto writing = writer->write_point(*device, std::move(what), wanted.limit);
  const auto written = co_await std::move(writing);
  if (!written) co_return fail(written.error());
  co_return write_reply(name, point_name, *written);
}

Control::Answer restart_part(Context& context,
                             std::function<Task<Result<void>>(const std::string&)> restart,
                             boost::json::object request, ControlPeer peer) {
  const auto part = text_of(request, "part");
  if (context.audit != nullptr) {
    const auto members = [&](JsonWriter& json) {
      json.member("part", part)
          .member("by", fmt::format("command line, uid {} pid {}", peer.uid, peer.pid));
    };
    auto recording = context.audit->record("restart", members, Audit::Durability::told);
    (void)co_await std::move(recording);
  }
  auto restarting = restart(part);
  const auto done = co_await std::move(restarting);
  if (!done) co_return fail(done.error());
  std::string text;
  JsonWriter(text).begin_object().member("part", part).end_object();
  co_return text;
}

Result<std::string> told(const Result<OutboxHandiwork>& done) {
  if (!done) return fail(done.error());
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("messages", done->messages);
  json.member("set_aside", done->aside).end_object();
  return text;
}

// The one that the sinks have open. Where there is none, what removed sinks have left is opened
// now.
Result<std::shared_ptr<OutboxFile>> outbox_file(Context& context,
                                                const config::OutboxSettings& settings) {
  std::error_code unknown;
  if (!context.heirlooms.contains("outbox") &&
      (context.data_dir.empty() ||
       !std::filesystem::exists(context.data_dir / "outbox.db", unknown))) {
    return fail(Errc::unavailable,
                "the running gateway has no sink and no outbox: nothing was ever queued there");
  }
  return OutboxFile::of(context, settings);
}

Control::Answer outbox(Context& context, config::OutboxSettings settings,
                       boost::json::object request, ControlPeer peer, bool retry) {
  const auto opened = outbox_file(context, settings);
  if (!opened) co_return fail(opened.error());
  const auto& file = *opened;
  auto queue = text_of(request, "queue");
  if (context.audit != nullptr) {
    const auto members = [&](JsonWriter& json) {
      json.member("queue", queue).member("id", number_of(request, "id", 0));
      json.member("by", fmt::format("command line, uid {} pid {}", peer.uid, peer.pid));
    };
    auto recording = context.audit->record(retry ? "outbox-retry" : "outbox-discard", members,
                                           // It may be what makes room on a full disk.
                                           Audit::Durability::told);
    (void)co_await std::move(recording);
  }
  auto working = retry ? file->retry(std::move(queue), number_of(request, "id", 0))
                       : file->discard(std::move(queue));
  const auto done = co_await std::move(working);
  co_return told(done);
}

Control::Answer tell(std::string text) { co_return text; }

}  // namespace

void add_commands(Control& control, Context& context, Commands commands) {
  control.add("status",
              [status = std::move(commands.status)](auto&&...) { return tell(status()); });
  control.add("restart", [&context, restart = std::move(commands.restart)](
                             boost::json::object request, ControlPeer peer) {
    return restart_part(context, restart, std::move(request), peer);
  });
  control.add("read", [&context](boost::json::object request, ControlPeer) {
    return read(context, std::move(request));
  });
  for (const bool retry : {true, false}) {
    control.add(retry ? "outbox-retry" : "outbox-discard",
                [&context, retry, settings = commands.outbox](boost::json::object request,
                                                              ControlPeer peer) {
                  return outbox(context, settings(), std::move(request), peer, retry);
                });
  }
  control.add("write", [&context](boost::json::object request, ControlPeer peer) {
    return write(context, std::move(request), peer);
  });
}

std::string write_reply(const std::string& device, const std::string& point,
                        const Written& written) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("device", device).member("point", point);
  json.key("value").value(written.value);
  json.key("before").value(written.before);
  json.key("now").value(written.now);
  json.key("duration_ms").value(Real{to_ms(written.took), 3}).end_object();
  return text;
}

}  // namespace lightship::app
