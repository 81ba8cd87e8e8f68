#include "bench/report/markup.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace rps::report;

TEST_CASE("markup in texts stays text") {
  CHECK(escape_markup("<a href=\"x\">&'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;");
  CHECK(escape_markup(std::string("a\0b\x1b[1m\nc\td", 12)) == "ab[1m\nc\td");
  CHECK(escape_markup("µs – 你") == "µs – 你");
  CHECK(text_element("p", {{"class", ""}, {"id", "\"x\""}}, "<") ==
        "<p id=\"&quot;x&quot;\">&lt;</p>");
}
