# rps_proto_library(name ROOT dir [MESSAGES a.proto…] [SERVICES b.proto…]): the C++ code of proto
# files as a static library.
#
# Imports and includes start at ROOT: with the ROOT "proto", the file proto/rps/v1/rps.proto becomes
# `#include "rps/v1/rps.pb.h"`. Those of SERVICES get gRPC's stubs as well (rps.grpc.pb.h). What a
# file imports must stand in the same list, or come with protoc (google/protobuf/descriptor.proto).
#
# The code is generated into the build tree, never into the repository. It is other people's code:
# compiled without the house's warnings, included as system headers.
function(rps_proto_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ROOT" "MESSAGES;SERVICES")
  cmake_path(ABSOLUTE_PATH arg_ROOT)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name}_generated)
  file(MAKE_DIRECTORY ${out})

  set(protos ${arg_MESSAGES} ${arg_SERVICES})
  set(all_generated "")
  foreach(proto IN LISTS protos)
    cmake_path(ABSOLUTE_PATH proto OUTPUT_VARIABLE path)
    cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${arg_ROOT} OUTPUT_VARIABLE stem)
    cmake_path(REMOVE_EXTENSION stem LAST_ONLY)
    set(generated ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(stubs "")
    if(proto IN_LIST arg_SERVICES)
      list(APPEND generated ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      set(stubs --grpc_out=${out} --plugin=protoc-gen-grpc=${RPS_GRPC_CPP_PLUGIN})
    endif()
    add_custom_command(
      OUTPUT ${generated}
      COMMAND protobuf::protoc -I ${arg_ROOT} --cpp_out=${out} ${stubs} ${path}
      DEPENDS ${protos}  # Of each other, too: they may import each other.
      COMMENT "Generating the C++ code of ${proto}"
      VERBATIM)
    list(APPEND all_generated ${generated})
  endforeach()

  add_custom_target(${name}_generate DEPENDS ${all_generated})
  add_dependencies(generated ${name}_generate)
  add_library(${name} STATIC ${all_generated})
  add_dependencies(${name} ${name}_generate)
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_compile_options(${name} PRIVATE -fno-omit-frame-pointer)
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf rps_grpcpp)
endfunction()
