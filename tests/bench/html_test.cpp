#include "bench/report/html.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "bench/report/chart.hpp"
#include "bench/report/html_style.hpp"
#include "tests/bench/html_run.hpp"
#include "tests/bench/markup.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::report;

namespace {

std::string page(const model::Run& run) {
  return to_html(run, View{.title = run.title}, {});
}

// Every "<name …>" but the void ones is closed, in the right order.
bool is_balanced(std::string_view html) {
  std::vector<std::string_view> open;
  for (std::size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
    if (html[at + 1] == '!') continue;
    const bool closes = html[at + 1] == '/';
    const std::size_t begin = at + (closes ? 2 : 1);
    const std::string_view name = html.substr(begin, html.find_first_of(" >\n", begin) - begin);
    if (name == "meta" || name == "br" || name == "input") continue;
    if (!closes) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

}  // namespace

TEST_CASE("a run with everything fills every chart") {
  const std::string html =
      to_html(run_with_everything(), view_with_everything(), floors_of_everything());
  for (const std::string_view id :
       {"spectrum", "spectrum-open", "latency-against-throughput", "qps-against-concurrency",
        "goodput-against-offered", "cost", "floor", "time-series", "trials"}) {
    CAPTURE(id);
    CHECK(contains(html, "<figure id=\"" + std::string(id) + "\">"));
    CHECK(contains(html, "href=\"#" + std::string(id) + "\""));
  }
  CHECK_FALSE(contains(html, "Charts that this run cannot fill"));
  CHECK(count_of(html, "<details>") == 9);
  CHECK(count_of(html, "class=\"ring\"") >= 3);  // The knees of those that were overloaded.
  CHECK(is_balanced(html));
}

TEST_CASE("no text of a run becomes markup") {
  model::Run run = run_with_everything();
  run.title = "<b>\"bold\"</b> & 'quoted'";
  run.id = "\"><script>";
  const std::string html = to_html(run, view_with_everything(), floors_of_everything());
  CHECK(contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  CHECK(count_of(html, "<script") == 1);
  CHECK(count_of(html, "</script") == 1);
  CHECK_FALSE(contains(html, "<!-- "));
  CHECK_FALSE(contains(html, "<friends>"));
  CHECK(is_balanced(html));
  CHECK(contains(page(run), "&lt;b&gt;&quot;bold&quot;&lt;/b&gt; &amp; &#39;quoted&#39;"));
}

TEST_CASE("the page asks nobody for anything") {
  std::string html = to_html(run_with_everything(), view_with_everything(), floors_of_everything());
  html.resize(html.find("data:application/json"));  // Encoded histograms can hold any word.
  const std::string space = "xmlns=\"http://www.w3.org/2000/svg\"";
  CHECK(count_of(html, "http") == count_of(html, space));
  CHECK(count_of(html, "//") == count_of(html, space));
  for (const std::string_view asking : {"src=", "@import", "<link", "<img", "<iframe", "<base"}) {
    CAPTURE(asking);
    CHECK_FALSE(contains(html, asking));
  }
  CHECK(count_of(html, "url(") == count_of(html, "url(#"));
}

TEST_CASE("the stored run is in the page, and is the run") {
  const model::Run run = run_with_everything();
  const std::string html = page(run);
  const std::string_view begin = "<script type=\"application/json\" id=\"run\">";
  const std::size_t from = html.find(begin) + begin.size();
  const auto read = model::parse_run(html.substr(from, html.find("</script>", from) - from));
  REQUIRE(read);
  CHECK(*read == run);
}

TEST_CASE("a run that is too long for a link is in the page all the same") {
  model::Run run;
  run.id = "long";
  run.title = "long";
  CHECK(contains(page(run), "download=\"long.json\""));
  run.environment.details.emplace_back("filler", std::string(linked_run_bytes_max, 'x'));
  const std::string html = page(run);
  CHECK_FALSE(contains(html, "download="));
  CHECK(contains(html, "id=\"run\""));
}

TEST_CASE("an empty run says what is missing, and how to have it") {
  const std::string html = page(model::Run{});
  CHECK_FALSE(contains(html, "<figure"));
  CHECK(count_of(html, "<code>rps-bench ") == 9);
  CHECK(contains(html, "No cell was flagged."));
  CHECK(is_balanced(html));
}

TEST_CASE("trials that failed leave no hole and no number") {
  model::Run run = run_with_everything();
  for (model::CellTrial& each : run.trials) {
    each.trial = model::Trial{};
    each.trial.start_error = "it did not start";
  }
  const std::string html = page(run);
  CHECK_FALSE(contains(html, "<figure"));
  CHECK(contains(html, "Not every trial is valid"));
  CHECK(is_balanced(html));
}

TEST_CASE("one trial of one cell is enough for its charts") {
  model::Run run = run_with_everything();
  run.trials.resize(1);
  const std::string html = page(run);
  CHECK(contains(html, "<figure id=\"spectrum\">"));
  CHECK(contains(html, "<figure id=\"cost\">"));
  CHECK_FALSE(contains(html, "<figure id=\"trials\">"));
  CHECK_FALSE(contains(html, "nan"));
  CHECK_FALSE(contains(html, ">inf"));
}

TEST_CASE("more subjects than colours: the rest stands in the numbers, and the page says so") {
  model::Run run;
  const model::Run everything = run_with_everything();
  for (std::size_t i = 0; i < look_count + 2; ++i) {
    model::Cell cell = everything.cells[3];
    cell.subject = cell.name = "s" + std::to_string(i);
    cell.key = cell.subject + "/64x1";
    run.cells.push_back(cell);
    model::CellTrial trial = everything.trials[21];
    trial.cell = i;
    run.trials.push_back(trial);
  }
  const std::string html = page(run);
  CHECK(contains(html, "The first 8 of 10 are drawn"));
  CHECK(contains(html, ">s9<"));
}

TEST_CASE("the style sheet ends nothing early") {
  CHECK_FALSE(contains(html_style(), "<"));
}
