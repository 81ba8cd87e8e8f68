#include "bench/report/html.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/report/page_files.hpp"
#include "bench/report/spectra.hpp"
#include "tests/bench/html_run.hpp"
#include "tests/bench/markup.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::report;

namespace {

std::string page(const model::Run& run) {
  return to_html(run, View{.title = run.title});
}

// Without what the script elements hold.
std::string markup_of(std::string_view html) {
  std::string out;
  constexpr std::string_view end = "</script>";
  for (std::size_t at = html.find("<script"); at != std::string_view::npos;
       at = html.find("<script")) {
    out += html.substr(0, html.find('>', at) + 1);
    html.remove_prefix(html.find(end, at));
  }
  return out += html;
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

TEST_CASE("the page begins with the answer, and holds what its charts are drawn from") {
  const std::string html = markup_of(to_html(run_with_everything(), view_with_everything()));
  const std::size_t table = html.find("id=\"table-stages\"");
  const std::size_t figure = html.find("id=\"first-figure\"");
  const std::size_t claims = html.find("id=\"claims\"");
  const std::size_t contents = html.find("<nav");
  REQUIRE(contents != std::string::npos);
  CHECK(table < figure);
  CHECK(figure < claims);
  CHECK(claims < contents);
  CHECK(contains(html, "Claims that this run cannot test: 1"));
  for (const std::string_view id : {"run", "spectra", "figures", "contents"}) {
    CAPTURE(id);
    CHECK(count_of(html, "id=\"" + std::string(id) + "\"") == 1);
  }
  CHECK(is_balanced(html));
}

TEST_CASE("no text of a run becomes markup") {
  model::Run run = run_with_everything();
  run.title = "<b>\"bold\"</b> & 'quoted'";
  run.id = "\"><script>";
  run.cells.front().key = "</script><!--";
  run.cells.front().floor = "<!--<script>";
  const std::string html = to_html(run, view_with_everything());
  CHECK(contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  CHECK(count_of(html, "<script") == 5);  // Two of data, three of code.
  CHECK(count_of(html, "</script") == 5);
  CHECK_FALSE(contains(html, "<!--"));
  CHECK_FALSE(contains(html, "<friends>"));
  CHECK(is_balanced(markup_of(html)));
  CHECK(contains(page(run), "&lt;b&gt;&quot;bold&quot;&lt;/b&gt; &amp; &#39;quoted&#39;"));
}

TEST_CASE("the page asks nobody for anything") {
  const std::string html = markup_of(to_html(run_with_everything(), view_with_everything()));
  CHECK(contains(html, "content=\"default-src 'none';"));
  for (const std::string_view asking :
       {"http:", "https:", "//", "src=", "@import", "<link", "<img", "<iframe", "<base", "url("}) {
    CAPTURE(asking);
    CHECK_FALSE(contains(html, asking));
  }
  for (const std::string_view asking : {"http", "fetch(", "XMLHttpRequest", "WebSocket", "import(",
                                        "eval(", "Function(", "innerHTML"}) {
    CAPTURE(asking);
    CHECK_FALSE(contains(page_js(), asking));
    CHECK_FALSE(contains(figures_js(), asking));
  }
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

TEST_CASE("a run that is long is in the page all the same") {
  model::Run run;
  run.id = "long";
  run.title = "long";
  run.environment.details.emplace_back("filler", std::string(std::size_t{5} << 20, 'x'));
  const std::string html = page(run);
  CHECK(contains(html, "class=\"download\""));
  CHECK(contains(html, "id=\"run\""));
}

TEST_CASE("an empty run has a page") {
  const std::string html = markup_of(page(model::Run{}));
  CHECK(contains(html, "No cell was flagged."));
  CHECK_FALSE(contains(html, "id=\"claims\""));
  CHECK(is_balanced(html));
}

TEST_CASE("trials that failed leave no hole and no number") {
  const std::string html = page(run_that_failed());
  CHECK(contains(html, "Not every trial is valid"));
  CHECK(spectra_json(run_that_failed()) == "{}");
  CHECK(is_balanced(markup_of(html)));
  CHECK_FALSE(contains(markup_of(html), ">nan"));
  CHECK_FALSE(contains(markup_of(html), ">inf"));
}

TEST_CASE("a spectrum ascends, stays inside its band, and ends where answers are too few") {
  const model::Run run = run_with_everything();
  const nlohmann::json spectra = nlohmann::json::parse(spectra_json(run));
  CHECK(spectra.size() == run.cells.size());
  for (const auto& [key, spectrum] : spectra.items()) {
    CAPTURE(key);
    const model::Cell& cell = *run.find(key);
    CHECK(spectrum.contains("service") == !cell.load.schedule.is_closed());
    using Points = std::vector<std::array<double, 4>>;  // Place, median, lowest, highest.
    const auto points = spectrum["response"].get<Points>();
    REQUIRE(points.size() > 2);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto& [place, median, low, high] = points[i];
      CHECK(low <= median);
      CHECK(median <= high);
      if (i > 0) CHECK(place > points[i - 1][0]);
      if (i > 0) CHECK(median >= points[i - 1][1]);
    }
    // 12,000 answers: ten of them lie above 99.9 %, and not above 99.99 %.
    CHECK(points.back()[0] >= 3);
    CHECK(points.back()[0] < 4);
  }
}

TEST_CASE("the embedded files end no element early") {
  CHECK_FALSE(contains(page_css(), "<"));
  CHECK_FALSE(contains(page_html(), "<!--"));
  for (const std::string_view script : {page_js(), figures_js(), chart_js()}) {
    CHECK_FALSE(contains(script, "</script"));
    CHECK_FALSE(contains(script, "<script"));
    CHECK_FALSE(contains(script, "<!--"));
  }
}

TEST_CASE("the licence of the chart library is in the page with it") {
  const std::string html = page(model::Run{});
  CHECK(contains(html, "Permission is hereby granted") == !chart_js().empty());
  CHECK(contains(html, "built without Chart.js") == chart_js().empty());
}
