// Pictures of the field as JSON, in the shapes of web/src/api/types.ts.
//
// A list for an answer, an object by id for a topic of /api/live: see the end of that file.
#pragma once

#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/view.h"

namespace lightship::portal {

enum class Items { list, keyed };

boost::json::object device_json(const DeviceView& device);
boost::json::object point_json(const PointView& point);
boost::json::object service_json(const ServiceView& service);
boost::json::object line_json(const LineView& line);

boost::json::object devices_json(const View& view, Items how);
boost::json::object points_json(const PointsView& points, Items how);
boost::json::object lines_json(const View& view);
// Status: overview and services.
boost::json::object overview_json(const View& view, Duration uptime);
boost::json::object status_json(const View& view, std::string_view version, Items how);

boost::json::value time_json(Time time);  // null for none
boost::json::value value_json(const Value& value);

// The same as text.
std::string json_text(const boost::json::value& value);

// "voltage_l1" for people: "Voltage L1".
std::string title_of(std::string_view point);

}  // namespace lightship::portal
