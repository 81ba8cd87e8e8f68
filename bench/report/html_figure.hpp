// The figures of the HTML report, before they are a page: drawn charts, each with its numbers.
// For html.cpp only.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/model/run.hpp"
#include "bench/model/statistics.hpp"
#include "bench/report/chart.hpp"
#include "bench/report/html.hpp"

namespace rps::report {

// What a chart shows, for those who want to read it off.
struct FigureNumbers {
  std::vector<std::string> headings;           // The first is of the rows' names.
  std::vector<std::vector<std::string>> rows;  // One text a heading.
};

struct Figure {
  std::string id;  // Unique in the page.
  std::string title;
  std::string reading;  // How to read it.
  std::vector<std::string> drawings;
  FigureNumbers numbers;
};

// Who stands for what in every chart.
struct FigureSubject {
  std::string key;
  std::string name;
  Look look;
};

// A run, and what all figures need to know of it.
struct FigureSource {
  explicit FigureSource(const model::Run& of);

  const FigureSubject& subject_of(std::size_t cell) const;

  // The medians that there are.
  std::optional<model::Estimate> estimate(std::size_t cell, model::Metric metric) const;
  std::vector<const model::Trial*> valid_trials(std::size_t cell) const;

  const model::Run& run;
  std::vector<FigureSubject> subjects;    // In the order of their first cells, floors last.
  std::vector<std::size_t> closed, open;  // Cells that calls were made to, by kind of loop.

  // One cell a subject, under a load that most of them share: of 64 connections with a call each
  // if there is one. Open: as near as possible to the middle of a subject's rates.
  std::vector<std::size_t> main_closed, main_open;

  // The cells of one subject that differ in nothing but the rate, or in how many calls are open;
  // ascending. Nothing for a subject that has only one.
  std::vector<std::vector<std::size_t>> rates, concurrencies;
};

// "64 connections", "16 connections × 4 calls", "Poisson arrivals, 2.00k/s".
std::string load_words(const model::Load& load);

// The rate of a schedule that has only one; otherwise nothing.
std::optional<double> rate_of(const model::Load& load);

// At most look_count of them, the first.
std::span<const std::size_t> drawn(const std::vector<std::size_t>& cells);

// A sentence that tells of the rest; empty when there is none.
std::string not_drawn(const std::vector<std::size_t>& cells);

// A median, or a dash.
std::string text_of(const std::optional<model::Estimate>& estimate, model::Metric metric);

// A median with its range, or a dash.
std::string range_of(const std::optional<model::Estimate>& estimate, model::Metric metric);

// The figures; nothing where the run does not have what they show.
std::optional<Figure> spectrum_closed(const FigureSource& source);
std::optional<Figure> spectrum_open(const FigureSource& source);
std::optional<Figure> latency_against_rate(const FigureSource& source);
std::optional<Figure> rate_against_concurrency(const FigureSource& source);
std::optional<Figure> goodput_against_rate(const FigureSource& source);
std::optional<Figure> cost_of_a_call(const FigureSource& source);
std::optional<Figure> time_against_floor(const FigureSource& source,
                                         std::span<const FloorPair> floors);
std::optional<Figure> time_series(const FigureSource& source);
std::optional<Figure> trial_dots(const FigureSource& source);

}  // namespace rps::report
