// Nothing is lost between the list of registers with their sources (tests/vectors/meters.csv) and
// the meter files: every row is in a file, with its address, type, order, scale and unit.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "sources/modbus/meters.h"

namespace lightship::poller {
namespace {

using Row = std::map<std::string, std::string>;

// Comma-separated with quotes, one record a line.
std::vector<std::string> cells(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  }
  return cells;
}

const std::vector<Row>& rows() {
  static const auto kRows = [] {
    std::vector<Row> rows;
    const auto text = read_file(LIGHTSHIP_SOURCE_DIR "/tests/vectors/meters.csv", 1'000'000);
    if (!text) return rows;
    const auto lines = split(*text, '\n');
    const auto head = cells(lines.front());
    for (std::size_t i = 1; i < lines.size(); ++i) {
      if (lines[i].empty()) continue;
      const auto values = cells(lines[i]);
      Row row;
      for (std::size_t c = 0; c < head.size() && c < values.size(); ++c) row[head[c]] = values[c];
      rows.push_back(std::move(row));
    }
    return rows;
  }();
  return kRows;
}

const Meters& built_in() {
  static config::Mistakes mistakes;
  static const Meters kMeters = Meters::built_in(mistakes);
  return kMeters;
}

std::vector<std::string> ids_of(const Row& row) {
  std::vector<std::string> ids;
  for (const auto id : split(row.at("ids"), ' ')) ids.emplace_back(id);
  return ids;
}

// What of the row the point says otherwise; nothing when it is the same.
std::string difference(const Row& row, const MeterConfig& meter) {
  const auto found =
      std::ranges::find(meter.registers, row.at("quantity"), &Registers::value_type::first);
  if (found == meter.registers.end()) return "no such point";
  const auto& c = found->second;
  std::vector<std::string> differences;
  const auto same = [&](const char* what, const std::string& came, const std::string& expected) {
    if (came != expected)
      differences.push_back(
          fmt::format("{}: {} in the file, {} in the list", what, came, expected));
  };
  same("address", fmt::to_string(c.address), row.at("address_dec"));
  same("function", fmt::to_string(c.function), row.at("function"));
  same("registers", fmt::to_string(wire_count(c)), row.at("registers"));
  const auto type = row.at("type");
  same("type", c.data_type, type.substr(0, type.find('[')));
  if (!row.at("word_order").empty()) {
    const auto order = modbus::parse_byte_order(c.byte_order);
    same("word order", order ? modbus::letters(*order, wire_count(c)) : c.byte_order,
         row.at("word_order"));
  }
  if (row.at("scale").ends_with("_SF")) {
    same("scale register", c.scale_register, row.at("scale"));
  } else {
    same("scale", fmt::format("{}", c.scale), fmt::format("{}", std::stod(row.at("scale"))));
    same("scale register", c.scale_register, "");
  }
  same("offset", fmt::format("{}", c.offset), "0");
  // The list has no unit for some averages; the files have it.
  if (!row.at("unit").empty()) same("unit", c.unit, row.at("unit"));
  same("confidence", c.confidence, row.at("confidence"));
  same("source", c.source, row.at("sources"));
  return join(differences, "; ");
}

TEST(MeterList, HasAllItsRows) {
  ASSERT_EQ(rows().size(), 776u);
  std::set<std::string> maps;
  for (const auto& row : rows()) maps.insert(row.at("ids"));
  EXPECT_EQ(maps.size(), 31u);
}

TEST(MeterList, IsInTheMeterFilesRowByRow) {
  for (const auto& row : rows()) {
    std::vector<std::string> differences;
    bool some = false;
    const auto ids = ids_of(row);
    for (const auto& id : ids) {
      const auto* meter = built_in().find(id);
      const auto what = meter == nullptr ? "no such meter" : difference(row, *meter);
      if (what.empty())
        some = true;
      else
        differences.push_back(fmt::format("{} {}: {}", id, row.at("quantity"), what));
    }
    // A note may say that a row is not for all models that share the map.
    if (some && !row.at("notes").empty()) continue;
    EXPECT_TRUE(differences.empty()) << join(differences, "\n");
  }
}

TEST(MeterList, HasEveryPointOfTheMeterFiles) {
  std::set<std::string> listed;
  for (const auto& row : rows()) {
    for (const auto& id : ids_of(row)) listed.insert(id + " " + row.at("quantity"));
  }
  for (const auto& meter : built_in().all()) {
    if (meter.sunspec && !meter.sunspec->combine.empty()) continue;
    for (const auto& [name, c] : meter.registers)
      EXPECT_TRUE(listed.contains(meter.id + " " + name)) << meter.id << " " << name;
  }
}

}  // namespace
}  // namespace lightship::poller
