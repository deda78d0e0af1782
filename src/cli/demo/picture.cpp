// What stands where on the screen.
#include "cli/demo/picture.h"

#include <cmath>

#include "cli/demo/canvas.h"

namespace lightship::cli {
namespace {

using namespace std::chrono_literals;

// What people look for first; what a device does not have is left out.
constexpr std::string_view kFavourites[] = {"active_power_total",
                                            "voltage_ln_avg",
                                            "current_avg",
                                            "frequency",
                                            "power_factor_avg",
                                            "energy_import",
                                            "temperature",
                                            "set_point",
                                            "pressure",
                                            "mode",
                                            "running",
                                            "fault",
                                            "run_hours",
                                            "voltage_l1",
                                            "voltage_l2",
                                            "voltage_l3",
                                            "current_l1",
                                            "current_l2",
                                            "current_l3",
                                            "active_power_l1",
                                            "active_power_l2",
                                            "active_power_l3",
                                            "reactive_power_total",
                                            "voltage_ll_avg",
                                            "door_open",
                                            "filter_dirty",
                                            "load_hours"};
constexpr std::size_t kFirst = 13;  // on a device's first line; the rest where there is room

constexpr std::size_t kNameWidth = 21, kStateWidth = 8, kPollWidth = 8, kAgeWidth = 7;
// What is on its way to the broker at any moment is not worth a word: one message of each device.
constexpr std::uint64_t kUsuallyWaiting = 5;

constexpr std::size_t kFixedLines = 19;  // without devices and failures

std::string seconds(Duration age) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(age).count());
}

std::string clock_time(Duration running) {
  const auto all = std::chrono::duration_cast<std::chrono::seconds>(running).count();
  return all < 3600 ? fmt::format("{}:{:02}", all / 60, all % 60)
                    : fmt::format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
}

// "tcp 127.0.0.1:502: connection refused" without the place, which stands further down.
std::string in_short(const std::string& why) {
  const auto place = why.rfind(": ");
  return place == std::string::npos || why.find(':') == place ? why : why.substr(place + 2);
}

// Shortened with a sign that it is.
std::string cut(const std::string& text, std::size_t width) {
  return columns(text) <= width || width < 4 ? fit(text, width) : fit(text, width - 4) + "... ";
}

void rule(Canvas& canvas) {
  std::string line;
  for (std::size_t i = 0; i < canvas.width(); ++i) line += canvas.glyph("─", "-");
  canvas.put(line, Tone::dim).end_line();
}

void heading(Canvas& canvas, const Scene& scene) {
  canvas.put(" Lightship", Tone::strong).put(" demo", Tone::dim);
  canvas.put("   a simulated site, read by the real gateway", Tone::dim);
  canvas.put_right(clock_time(scene.running) + " ", Tone::strong).end_line();
  canvas.put(" portal ", Tone::dim)
      .put(fmt::format("http://127.0.0.1:{}", scene.ports.portal), Tone::accent);
  canvas.put("   gateway ", Tone::dim)
      .put(fmt::format("127.0.0.1:{}", scene.ports.gateway), Tone::accent);
  canvas.put("   mqtt ", Tone::dim)
      .put(fmt::format("127.0.0.1:{}", scene.ports.mqtt), Tone::accent)
      .end_line();
  rule(canvas);
}

// As many as fit into the room, from `next` on; returns where it stopped.
std::size_t values(Canvas& canvas, const HeardDevice& device, std::size_t next, std::size_t end,
                   std::size_t keep_free) {
  for (; next < end; ++next) {
    const auto shown = device.shown(kFavourites[next]);
    if (shown.empty()) continue;
    const auto cell = std::max<std::size_t>(9, columns(shown));
    if (cell + 2 + keep_free > canvas.room()) break;
    canvas.put(std::string(cell - columns(shown), ' ') + shown + "  ");
  }
  return next;
}

void device_lines(Canvas& canvas, const Scene& scene, const HeardDevice& device, bool roomy) {
  const auto age = std::chrono::duration_cast<Duration>(scene.now - device.arrived);
  const bool old = age > kOld;
  const auto mark = old             ? canvas.glyph("○", "o")
                    : device.online ? canvas.glyph("●", "*")
                                    : canvas.glyph("▲", "!");
  const auto tone = old ? Tone::dim : device.online ? Tone::good : Tone::bad;
  canvas.put(" ").put(mark, tone).put(" ").put(device.id, kNameWidth, Tone::plain);
  canvas.put(old ? "no news" : device.online ? "online" : "silent", kStateWidth, tone);
  canvas.put(device.online ? fmt::format("{:.0f} ms", device.poll_ms) : "", kPollWidth, Tone::dim);
  std::size_t next = 0;
  if (device.online)
    next = values(canvas, device, 0, kFirst, kAgeWidth);
  else
    canvas.put(cut(" " + in_short(what_fails(scene, device)),
                   canvas.room() > kAgeWidth ? canvas.room() - kAgeWidth : 0),
               Tone::dim);
  canvas.put_right(seconds(age) + " ", Tone::dim).end_line();
  if (!roomy) return;
  canvas.to_column(3 + kNameWidth + kStateWidth + kPollWidth);
  if (device.online) values(canvas, device, next, std::size(kFavourites), 0);
  canvas.end_line();
}

void devices(Canvas& canvas, const Scene& scene, bool roomy) {
  const auto& feed = *scene.feed;
  canvas.put("   ")
      .put("DEVICE", kNameWidth, Tone::dim)
      .put("STATE", kStateWidth, Tone::dim)
      .put("POLL", kPollWidth, Tone::dim);
  canvas.put("AS IT ARRIVES AT THE BROKER", Tone::dim).put_right("AGE ", Tone::dim).end_line();
  for (const auto& device : feed.devices()) device_lines(canvas, scene, device, roomy);
  if (feed.devices().empty()) {
    const auto why =
        scene.broker_trouble.empty() ? "waiting for the first messages" : scene.broker_trouble;
    canvas.put("   " + std::string(why), Tone::dim).end_line();
  }
  canvas.end_line();
}

void gauges(Canvas& canvas, const Scene& scene) {
  for (const auto& line : scene.told.lines) {
    if (!line.line.starts_with("serial")) continue;
    canvas.put(" line    ", Tone::dim).put(canvas.bar(line.busy_percent / 100, 20), Tone::accent);
    canvas.put(fmt::format(" {:3.0f} % busy", line.busy_percent))
        .put("   " + line.line, Tone::dim)
        .end_line();
  }
  const auto& feed = *scene.feed;
  canvas.put(" broker  ", Tone::dim)
      .put(fmt::format("{} messages, {:.1f}/s", feed.messages(), feed.rate(scene.now)));
  if (feed.missing() > 0)
    canvas.put(fmt::format(", {} missing", feed.missing()), Tone::bad);
  else
    canvas.put(", none missing", Tone::good);
  if (const auto age = feed.newest_age(scene.now))
    canvas.put(fmt::format(", newest {} old", seconds(*age)));
  if (scene.told.waiting.value_or(0) > kUsuallyWaiting)
    canvas.put(fmt::format("   {} wait in the outbox", *scene.told.waiting), Tone::dim);
  canvas.end_line();
  canvas.put(" power   ", Tone::dim);
  canvas.put(canvas.sparks(scene.power, canvas.width() > 30 ? canvas.width() - 30 : 0),
             Tone::accent);
  canvas.put("  ")
      .put(for_reading(feed.power_w(), "W"), Tone::strong)
      .put(" in all", Tone::dim)
      .end_line();
  canvas.end_line();
}

void failures(Canvas& canvas, const Scene& scene) {
  std::vector<std::pair<std::string, std::string>> all;
  if (!scene.broker_trouble.empty()) all.emplace_back("broker", scene.broker_trouble);
  for (const auto& device : scene.feed->devices()) {
    if (auto why = what_fails(scene, device); !why.empty())
      all.emplace_back(device.id, std::move(why));
  }
  if (all.empty()) {
    canvas.put(" ").put(canvas.glyph("●", "*"), Tone::good).put(" nothing fails now").end_line();
  }
  for (const auto& [who, why] : all) {
    canvas.put(" ")
        .put(canvas.glyph("▲", "!"), Tone::bad)
        .put(" " + who, Tone::strong)
        .put("  " + why)
        .end_line();
  }
  canvas.end_line();
}

void hints(Canvas& canvas, const Scene& scene) {
  if (!scene.login.empty()) {
    canvas.put(" Log in to the portal as ", Tone::dim)
        .put(scene.login.substr(0, scene.login.find(' ')), Tone::accent)
        .put(" with ", Tone::dim)
        .put(scene.login.substr(scene.login.find(' ') + 1), Tone::accent)
        .end_line();
  }
  canvas.put(" Look for yourself, in another terminal:", Tone::dim).end_line();
  const auto command = [&](const std::string& text) {
    canvas.put("   ").put(text, Tone::accent).end_line();
  };
  command(fmt::format("mosquitto_sub -p {} -t '#' -v", scene.ports.mqtt));
  command(fmt::format("mbpoll -1 -0 -a 1 -t 4:float -r 3926 -c 2 -p {} 127.0.0.1",
                      scene.ports.gateway));
  command(fmt::format("mbpoll -1 -0 -a 11 -t 0 -r 0 -c 2 -p {} 127.0.0.1", scene.ports.gateway));
  command(fmt::format("lightship status --url http://127.0.0.1:{}", scene.ports.portal));
}

}  // namespace

std::string what_fails(const Scene& scene, const HeardDevice& device) {
  const auto told = scene.told.devices.find(device.id);
  const bool online = told != scene.told.devices.end() ? told->second.online : device.online;
  if (online && device.online) return {};
  if (online) return "answers again";
  if (told != scene.told.devices.end() && !told->second.condition.empty())
    return told->second.condition;
  return device.trouble.empty() ? "no values" : device.trouble;
}

std::vector<std::string> draw(const Scene& scene, const Look& look) {
  Canvas canvas(look);
  const auto count = scene.feed->devices().size();
  const bool roomy = static_cast<std::size_t>(look.height) >= kFixedLines + 2 * count + 2;
  heading(canvas, scene);
  devices(canvas, scene, roomy);
  gauges(canvas, scene);
  failures(canvas, scene);
  hints(canvas, scene);
  while (canvas.lines_left() > 1) canvas.end_line();
  canvas.put(" q or Ctrl-C ends it", Tone::dim)
      .put_right("log " + scene.log + " ", Tone::dim)
      .end_line();
  return canvas.take();
}

std::string plain_line(const Scene& scene) {
  const auto& feed = *scene.feed;
  const auto running = std::chrono::duration_cast<std::chrono::seconds>(scene.running).count();
  const auto devices =
      scene.told.devices.empty() ? feed.devices().size() : scene.told.devices.size();
  const auto online =
      scene.told.devices.empty()
          ? feed.online(scene.now)
          : static_cast<std::size_t>(std::ranges::count_if(
                scene.told.devices, [](const auto& one) { return one.second.online; }));
  auto text = fmt::format("{} s: {} devices, {} online, {} messages at the broker, {:.1f}/s",
                          running, devices, online, feed.messages(), feed.rate(scene.now));
  if (const auto age = feed.newest_age(scene.now))
    text += fmt::format(", newest {} old", seconds(*age));
  if (feed.missing() > 0) text += fmt::format(", {} missing", feed.missing());
  if (!scene.broker_trouble.empty() && scene.told.waiting)
    text += fmt::format(", {} wait in the outbox", *scene.told.waiting);
  return text;
}

}  // namespace lightship::cli
