# Every dependency of the tree, in one place. core and stage 1 need none of them: a stage whose
# dependency is missing is left out whole, with one line that names what is missing.
# The Debian packages that bring them stand in cmake/debian-packages.txt.

foreach(stage STAGE2 STAGE3 STAGE4 BENCH TESTS)
  option(RPS_${stage} "Build ${stage} when its dependencies are found" ON)
endforeach()

find_package(PkgConfig QUIET)
find_package(Boost 1.81 QUIET COMPONENTS headers)                 # Asio, Beast
find_package(CLI11 QUIET)                                         # flags
find_package(spdlog QUIET)                                        # log
find_package(prometheus-cpp QUIET COMPONENTS core)                # metrics
find_package(nlohmann_json 3.11 QUIET)                            # JSON
find_package(Protobuf QUIET)                                      # stage 3's messages
find_package(OpenSSL QUIET)                                       # stage 3's TLS
find_package(Catch2 QUIET)                                        # tests, 2.13 or 3
find_package(benchmark QUIET)                                     # rps-micro
find_package(Python3 QUIET COMPONENTS Interpreter)                # tests that drive processes
if(PKG_CONFIG_FOUND)
  pkg_check_modules(GRPC QUIET IMPORTED_TARGET grpc++>=1.51)      # stage 3
  pkg_check_modules(JEMALLOC QUIET IMPORTED_TARGET jemalloc>=5.3) # stage 3's allocator
  pkg_check_modules(NGHTTP2 QUIET IMPORTED_TARGET libnghttp2>=1.52)  # the lean gRPC client
  pkg_check_modules(LIBBPF QUIET IMPORTED_TARGET libbpf>=1.1)     # stage 4
endif()
find_program(RPS_GRPC_CPP_PLUGIN grpc_cpp_plugin)                 # stage 3's stubs
find_path(RPS_GRPC_PROTO grpc/health/v1/health.proto              # gRPC's standard services
          PATHS /usr/share/grpc-proto)
find_program(RPS_BPF_CLANG NAMES clang-19 clang)                  # stage 4's kernel side
find_file(RPS_CHART_JS chart.min.js                               # charts of the HTML report
          PATHS /usr/share/javascript/chart.js NO_DEFAULT_PATH)
find_program(RPS_BPFTOOL bpftool PATHS /usr/sbin /sbin)           # stage 4's skeletons

# rps_have(<part> <needs…>): sets RPS_HAVE_<part>, or says what is missing. Each need is
# "<name>=<variable that is true when found>".
function(rps_have part)
  set(missing "")
  foreach(need IN LISTS ARGN)
    string(REPLACE "=" ";" pair "${need}")
    list(GET pair 0 name)
    list(GET pair 1 variable)
    if(NOT ${variable})
      list(APPEND missing ${name})
    endif()
  endforeach()
  if(DEFINED RPS_${part} AND NOT RPS_${part})
    message(STATUS "rps: ${part} left out: switched off")
  elseif(missing)
    list(JOIN missing ", " missing)
    message(STATUS "rps: ${part} left out: not found: ${missing}")
  else()
    set(RPS_HAVE_${part} ON PARENT_SCOPE)
    return()
  endif()
  set(RPS_HAVE_${part} OFF PARENT_SCOPE)
endfunction()

rps_have(SERVER "Boost ≥ 1.81=Boost_FOUND" "CLI11=CLI11_FOUND" "spdlog=spdlog_FOUND"
         "prometheus-cpp=prometheus-cpp_FOUND")
rps_have(STAGE2 "core/server=RPS_HAVE_SERVER" "nlohmann_json=nlohmann_json_FOUND")
rps_have(STAGE3 "core/server=RPS_HAVE_SERVER" "protobuf=Protobuf_FOUND" "gRPC ≥ 1.51=GRPC_FOUND"
         "grpc_cpp_plugin=RPS_GRPC_CPP_PLUGIN" "grpc-proto=RPS_GRPC_PROTO"
         "OpenSSL=OPENSSL_FOUND" "jemalloc ≥ 5.3=JEMALLOC_FOUND")
rps_have(LEAN_GRPC "stage 3=RPS_HAVE_STAGE3" "libnghttp2 ≥ 1.52=NGHTTP2_FOUND")
rps_have(STAGE4 "stage 3=RPS_HAVE_STAGE3" "libbpf ≥ 1.1=LIBBPF_FOUND" "clang=RPS_BPF_CLANG"
         "bpftool=RPS_BPFTOOL")
rps_have(BENCH "Boost ≥ 1.81=Boost_FOUND" "nlohmann_json=nlohmann_json_FOUND"
         "CLI11=CLI11_FOUND")
rps_have(MICRO "google-benchmark=benchmark_FOUND")
rps_have(TESTS "Catch2=Catch2_FOUND" "Python 3=Python3_FOUND" "the harness=RPS_HAVE_BENCH")

# gRPC's own code is linked statically, the libraries that it uses are shared ones: so the linker's
# --wrap reaches gRPC's system calls, and its calls of itself cost less (docs/decisions/013).
if(RPS_HAVE_STAGE3)
  add_library(rps_grpcpp INTERFACE)
  set(grpc_own grpc++ grpc gpr upb address_sorting)
  foreach(library IN LISTS grpc_own)
    find_library(RPS_LIB_${library} NAMES lib${library}.a
                 PATHS ${GRPC_STATIC_LIBRARY_DIRS} ${GRPC_LIBDIR} REQUIRED)
    target_link_libraries(rps_grpcpp INTERFACE ${RPS_LIB_${library}})
  endforeach()
  set(grpc_uses ${GRPC_STATIC_LIBRARIES})
  list(REMOVE_ITEM grpc_uses ${grpc_own})
  list(REMOVE_DUPLICATES grpc_uses)
  list(TRANSFORM grpc_uses PREPEND "-l")
  target_link_libraries(rps_grpcpp INTERFACE ${grpc_uses})
  target_include_directories(rps_grpcpp SYSTEM INTERFACE ${GRPC_INCLUDE_DIRS})
endif()
