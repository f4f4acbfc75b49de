#include "training_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "curve_chart.hpp"
#include "table.hpp"

namespace hone::app {
namespace {

constexpr std::size_t kColumnsForTwo = 72;

double figure(const Json& point, const char* key) {
  const auto found = point.find(key);
  return found != point.end() && found->is_number() ? found->get<double>() : std::nan("");
}

struct Series {
  std::vector<double> loss, metric;
};

// Of the last attempt. A metric of 0 before the first epoch has ended is none yet.
Series series_of(const Json& points) {
  Series series;
  if (points.empty()) return series;
  const Json attempt = points.back().value("attempt", Json());
  bool measured = false;
  for (const Json& point : points) {
    if (point.value("attempt", Json()) != attempt) continue;
    series.loss.push_back(figure(point, "loss"));
    const double metric = figure(point, "validation_metric");
    measured = measured || (std::isfinite(metric) && metric != 0);
    if (measured) series.metric.push_back(metric);
  }
  return series;
}

std::string figures_in_words(const Json& point, bool measured) {
  std::string text = "epoch " + point.value("epoch", Json(0)).dump();
  char number[48];
  if (const double loss = figure(point, "loss"); std::isfinite(loss)) {
    std::snprintf(number, sizeof number, "  loss %.4f", loss);
    text += number;
  }
  if (const double metric = figure(point, "validation_metric"); measured && std::isfinite(metric)) {
    std::snprintf(number, sizeof number, "  metric %.4f", metric);
    text += number;
  }
  return text;
}

}  // namespace

std::vector<std::string> curves(const Json& points, std::size_t columns, std::size_t chart_rows, Glyphs glyphs) {
  const Series series = series_of(points);
  const std::size_t each = columns >= kColumnsForTwo ? columns / 2 - 1 : columns;
  const auto chart = [&](std::string_view title, const std::vector<double>& values) {
    return values.size() < 2 ? std::vector<std::string>() : curve_chart(title, values, each, chart_rows, glyphs);
  };
  return beside(chart("loss", series.loss), chart("metric", series.metric), columns);
}

std::vector<std::string> training_lines(const std::string& name, const std::string& state, const Json& points, std::size_t columns,
                                        std::size_t chart_rows, Glyphs glyphs) {
  if (points.empty()) return {name + "  " + state};
  const double share = figure(points.back(), "progress");
  char percent_text[16];
  std::snprintf(percent_text, sizeof percent_text, "%3.0f%%", 100 * (std::isfinite(share) ? share : 0.0));
  const bool measured = !series_of(points).metric.empty();
  std::vector<std::string> lines{
      bar_line(name + "  " + state, share, std::string(percent_text) + "  " + figures_in_words(points.back(), measured), columns, glyphs)};
  for (std::string& line : curves(points, columns, chart_rows, glyphs)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace hone::app
