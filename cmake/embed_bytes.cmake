# cmake -D IN=file -D OUT=file.cpp -D NAME=space::name -P embed_bytes.cmake
#
# Writes a C++ source that defines `extern const std::string_view NAME`: the bytes of the file IN.
string(REGEX MATCH "^(.*)::([^:]*)$" matched ${NAME})
set(space ${CMAKE_MATCH_1})
set(variable ${CMAKE_MATCH_2})
file(READ ${IN} digits HEX)
string(REGEX REPLACE "(................................)" "\\1\n" lines "${digits}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" lines "${lines}")
string(REGEX REPLACE "([^\n]+)" "    \"\\1\"" lines "${lines}")
string(LENGTH "${digits}" length)
math(EXPR size "${length} / 2")
file(WRITE ${OUT}
"#include <string_view>

namespace ${space} {
extern const std::string_view ${variable};
const std::string_view ${variable}(
${lines},
    ${size});
}  // namespace ${space}
")
