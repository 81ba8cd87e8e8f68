#include "bench/scenarios/compare.hpp"

#include <algorithm>

#include "bench/scenarios/tables.hpp"
#include "tests/catch.hpp"

using namespace rps;
using namespace rps::scenarios;

namespace {

bool has(const std::vector<std::string>& tables, std::string_view key) {
  return std::ranges::find(tables, key) != tables.end();
}

}  // namespace

TEST_CASE("which tables are measured follows from the profile, unless they are named") {
  for (const Profile& profile : profiles) {
    CAPTURE(profile.name);
    const std::vector<std::string> tables = tables_of({.profile = profile});
    CHECK(has(tables, "main"));
    CHECK(has(tables, "floors"));
    CHECK(has(tables, "stage3") == profile.is_published);
    CHECK(has(tables, "modes1000") == profile.is_published);
    CHECK(has(tables, "balancing"));
    for (const std::string on_request : {"stage2", "rest", "balancing-slow", "failover"}) {
      CHECK_FALSE(has(tables, on_request));
      CHECK(tables_of({.profile = profile, .tables = {on_request}}) ==
            std::vector<std::string>{on_request});
    }
  }
}
