// The one main() of all Catch2 tests; Catch2 3 brings its own.
#define CATCH_CONFIG_MAIN
#include "tests/catch.hpp"
