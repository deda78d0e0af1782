// Devices and their points: what is known, asked anew, written.
#include "portal/api/devices.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "portal/view_json.h"
#include "portal/views.h"

namespace lightship::portal {

using namespace std::chrono_literals;

namespace {

namespace json = boost::json;

// A picture of devices is as old as this at most: polls are seldom more often.
constexpr Duration kHealthAge = 500ms;
// A person waits so long for fresh registers, and for a write.
constexpr Duration kFreshLimit = 10s;
constexpr Duration kWriteLimit = 10s;
constexpr Duration kLook = 20ms;

enum Texts { kHealthText = 1 };

Response no_answer() {
  return problem(503, "Service Unavailable",
                 "The gateway's loop did not answer within 1 s; the last picture is gone too.");
}

// Errors of looking a device up.
Response not_found(const Error& why) {
  if (why.code == Errc::invalid) return problem(404, "Not Found", why.text);
  return problem(503, "Service Unavailable", why.text);
}

Task<Response> health(Views& views) {
  const auto picture = co_await views.get(kHealthAge);
  if (!picture) co_return no_answer();
  Response response;
  response.content_type = "application/json";
  response.shared = picture->text(
      kHealthText, [](const View& view) { return json_text(devices_json(view, Items::list)); });
  co_return response;
}

// Polls now and waits until every point was told of. False: not in time.
Task<bool> read_anew(Context& context, DeviceId device) {
  const auto asked = context.clock.mono();
  if (!context.viewed->poll_now(device)) co_return false;
  const auto until = asked + kFreshLimit;
  for (;;) {
    co_await context.clock.sleep_for(kLook);
    const auto& points = context.catalog.points(device);
    const bool all = std::ranges::all_of(
        points, [&](PointId point) { return context.cache.point(point).arrived >= asked; });
    if (all) co_return true;
    if (context.clock.mono() >= until) co_return false;
  }
}

std::function<Task<bool>(Context&)> reading_anew(DeviceId device) {
  return [device](Context& context) { return read_anew(context, device); };
}

Task<Response> registers(Views& views, Field& field, const Call& call) {
  const auto fresh = call.parameter("fresh").value_or("0");
  if (fresh != "0" && fresh != "1")
    co_return problem(400, "Bad Request", "fresh is 0 or 1, found '" + fresh + "'.");
  const auto id = call.part("id");
  auto age = Views::kFresh;
  if (fresh == "1") {
    if (call.caller.role < Role::operate) {
      co_return problem(403, "Forbidden", "Reading from the device itself needs the role operator.",
                        "role");
    }
    const auto device = co_await views.find(id);
    if (!device) co_return not_found(device.error());
    const auto done =
        co_await field.run<bool>(reading_anew(device->id), kFreshLimit + Field::kPatience);
    if (!done || !*done) {
      co_return problem(
          504, "Gateway Timeout",
          fmt::format("{} was not read anew within {}.", device->name, for_people(kFreshLimit)));
    }
    age = Duration::zero();
  }
  auto points = co_await views.points(id, age);
  if (!points) co_return not_found(points.error());
  const auto wanted = call.parameter("point");
  if (!wanted) co_return json_answer(json_text(points_json(**points, Items::list)));
  PointsView some = **points;
  std::erase_if(some.points, [&](const PointView& point) { return point.name != *wanted; });
  if (some.points.empty())
    co_return problem(404, "Not Found",
                      fmt::format("{} has no point '{}'.", some.name, start_of(*wanted, 128)));
  co_return json_answer(json_text(points_json(some, Items::list)));
}

Task<Response> poll(Views& views, const Call& call) {
  const auto device = co_await views.find(call.part("id"));
  if (!device) co_return not_found(device.error());
  const auto done = co_await views.poll_now(device->id);
  if (!done) co_return problem(503, "Service Unavailable", done.error().text);
  if (!*done)
    co_return problem(409, "Conflict", device->name + " is not polled now: its line is stopped.");
  Response response;
  response.status = 202;
  co_return response;
}

// What a person typed, or a script sent.
Result<Value> value_of(const json::value* from, std::string_view name) {
  if (from == nullptr) return fail(Errc::invalid, "{} is missing", name);
  if (from->is_bool()) return Value(from->get_bool());
  if (from->is_int64()) return Value(from->get_int64());
  if (from->is_uint64()) return Value(from->get_uint64());
  if (from->is_double()) return Value(Real{from->get_double()});
  if (from->is_string() && from->get_string().size() <= 1024)
    return Value(std::string(from->get_string()));
  return fail(Errc::invalid, "{} must be a number, a text or true or false", name);
}

struct Order {
  std::string device, point;
  Value value;
  std::optional<Value> expected;
  std::string by;
};

Result<Order> order_of(const Call& call) {
  const auto body = call.body();
  if (!body) return fail(body.error());
  Order order;
  const auto* point = body->if_contains("point");
  if (point == nullptr || !point->is_string() || point->get_string().empty())
    return fail(Errc::invalid, "point must name a point of the device");
  order.point = std::string(point->get_string());
  auto value = value_of(body->if_contains("value"), "value");
  if (!value) return fail(value.error());
  order.value = std::move(*value);
  if (const auto* expected = body->if_contains("expected"); expected && !expected->is_null()) {
    auto held = value_of(expected, "expected");
    if (!held) return fail(held.error());
    order.expected = std::move(*held);
  }
  order.by = call.by();
  return order;
}

// Runs on the field loop.
Task<Result<Written>> write_there(Context& context, DeviceId device, Order order) {
  const auto point =
      context.catalog.find_point(context.catalog.info(device).id() + "/" + order.point);
  if (!point) co_return fail(Errc::closed, "the device has no point '{}'", order.point);
  auto* owner = context.owners.writer(device);
  if (owner == nullptr) {
    co_return fail(Error{Errc::invalid,
                         "the device does not allow writing: allow_write is not true, or its line "
                         "is stopped",
                         kWriteNotAllowed});
  }
  PointWrite write{*point, std::move(order.value), std::move(order.expected), std::move(order.by)};
  co_return co_await owner->write_point(device, std::move(write), kWriteLimit);
}

std::function<Task<Result<Written>>(Context&)> writing(DeviceId device, Order order) {
  return [device, order = std::move(order)](Context& context) {
    return write_there(context, device, order);
  };
}

Response refused(const Error& why) {
  switch (why.code) {
    case Errc::invalid:
      switch (why.detail) {
        case kWriteNotAllowed:
        case kWriteClosed:
          return problem(409, "Conflict", why.text, "not-writable");
        case kWriteTooOften:
          return problem(429, "Too Many Requests", why.text, "too-often");
        case kWriteNotExpected:
          return problem(409, "Conflict", why.text, "changed");
        default:
          return problem(422, "Unprocessable Content", why.text, "bad-value");
      }
    case Errc::refused:
      return problem(502, "Bad Gateway", "The device refused: " + why.text, "device-refused");
    case Errc::malformed:
      return problem(502, "Bad Gateway", why.text, "not-taken");
    case Errc::timeout:
      return problem(504, "Gateway Timeout", why.text, "no-answer");
    case Errc::closed:
      return problem(404, "Not Found", why.text);
    default:
      return problem(503, "Service Unavailable", why.text);
  }
}

Task<Response> write(Views& views, Field& field, const Call& call) {
  auto order = order_of(call);
  if (!order) co_return problem(400, "Bad Request", order.error().text);
  const auto device = co_await views.find(call.part("id"));
  if (!device) co_return not_found(device.error());
  const auto point = order->point;
  const auto done = co_await field.run<Result<Written>>(writing(device->id, std::move(*order)),
                                                        kWriteLimit + Field::kPatience);
  if (!done) {
    co_return problem(504, "Gateway Timeout",
                      "It is not known whether the value was written: nothing was heard of it. "
                      "The audit will say.",
                      "no-answer");
  }
  if (!*done) co_return refused(done->error());
  const Written& written = **done;
  json::object out;
  out["device"] = device->name;
  out["point"] = point;
  out["value"] = value_json(written.value);
  out["before"] = value_json(written.before);
  out["now"] = value_json(written.now);
  out["duration_ms"] = std::round(to_ms(written.took) * 10) / 10;
  co_return json_answer(json_text(out));
}

}  // namespace

void add_devices(Router& router, Views& views, Field& field) {
  router.add(
      {"GET", "/api/device-health", Role::viewer, [&views](const Call&) { return health(views); }});
  router.add({"GET", "/api/device/{id}/registers", Role::viewer,
              [&views, &field](const Call& call) { return registers(views, field, call); }});
  router.add({"POST", "/api/device/{id}/poll", Role::operate,
              [&views](const Call& call) { return poll(views, call); }});
  router.add({"POST", "/api/device/{id}/write", Role::operate,
              [&views, &field](const Call& call) { return write(views, field, call); }});
}

}  // namespace lightship::portal
