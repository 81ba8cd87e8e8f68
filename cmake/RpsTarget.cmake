# Warnings, sanitizers and tuning, said once for every target of the tree.
#
#   rps_library(name SOURCES… [LIBRARIES…] [PUBLIC_LIBRARIES…])
#   rps_binary(name SOURCES… [LIBRARIES…])
#
# Both compile with the house's flags and find headers from the repository's root only.

option(RPS_WERROR "Treat compiler warnings as errors" OFF)
option(RPS_PCH "Parse Catch2 once for all tests, as a precompiled header" ON)
set(RPS_SANITIZE "" CACHE STRING "Sanitizers for every target, as given to -fsanitize=")

find_package(Threads REQUIRED)
find_program(RPS_CCACHE ccache)
if(RPS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RPS_CCACHE})
endif()

add_library(rps_flags INTERFACE)
target_include_directories(rps_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(rps_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-align -Wimplicit-fallthrough -Wswitch-enum
  -Wno-missing-field-initializers  # Every member has its default where it is declared.
  -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(rps_flags INTERFACE -Wno-restrict)  # False for "text" + std::string.
endif()
target_link_libraries(rps_flags INTERFACE Threads::Threads)
if(RPS_WERROR)
  target_compile_options(rps_flags INTERFACE -Werror)
endif()
if(RPS_SANITIZE)
  target_compile_options(rps_flags INTERFACE
    -fsanitize=${RPS_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(rps_flags INTERFACE -fsanitize=${RPS_SANITIZE})
endif()
if(RPS_SANITIZE MATCHES "thread")
  # Asio's fences are what this sanitizer cannot see and gcc refuses to compile with it; Asio's
  # locks already order all that the fences would.
  target_compile_definitions(rps_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

function(rps_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES;PUBLIC_LIBRARIES")
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} PUBLIC rps_flags ${arg_PUBLIC_LIBRARIES})
endfunction()

function(rps_binary name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE rps_flags ${arg_LIBRARIES})
  add_dependencies(programs ${name})
endfunction()

# rps_test(name SOURCES… [LIBRARIES…]): a Catch2 binary that ctest runs as one test.
function(rps_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE rps_flags rps_test_main ${arg_LIBRARIES})
  if(RPS_PCH)
    target_precompile_headers(${name} REUSE_FROM rps_test_pch)
  endif()
  add_test(NAME ${name} COMMAND ${name})
endfunction()
