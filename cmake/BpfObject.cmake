# bpf_object(<name> <source.bpf.c>): compiles a BPF program and generates its skeleton.
#
# Makes the target <name>_skel, which brings `#include "<name>.skel.h"` to whoever links it:
#
#   clang (target bpf) ─▶ <name>.bpf.o ─▶ bpftool gen object (drops DWARF) ─▶ bpftool gen skeleton
#
# The object is relocatable (CO-RE): it is built without a kernel's headers or its BTF, and libbpf
# fits it to the kernel that loads it. The instruction set is v3 (32-bit jumps and ALU, Linux 5.1):
# v4 is unknown to the older clang and verifier alike.

function(bpf_object name source)
  cmake_path(ABSOLUTE_PATH source)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(stripped ${CMAKE_CURRENT_BINARY_DIR}/${name}.stripped.bpf.o)
  set(skeleton_dir ${CMAKE_CURRENT_BINARY_DIR}/${name}_skel)
  set(skeleton ${skeleton_dir}/${name}.skel.h)

  set(flags -target bpf -mcpu=v3 -std=gnu11 -O2 -g -Wall -Wextra
      -Wno-unused-parameter  # A program names the arguments of its hook up to the one it reads.
      -I${PROJECT_SOURCE_DIR})
  if(RPS_WERROR)
    list(APPEND flags -Werror)
  endif()
  if(CMAKE_LIBRARY_ARCHITECTURE)  # Where Debian keeps <asm/types.h>.
    list(APPEND flags -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
  endif()
  foreach(dir IN LISTS LIBBPF_INCLUDE_DIRS)
    list(APPEND flags -isystem ${dir})
  endforeach()

  add_custom_command(
    OUTPUT ${object}
    COMMAND ${RPS_BPF_CLANG} ${flags} -MD -MF ${object}.d -c ${source} -o ${object}
    MAIN_DEPENDENCY ${source}
    DEPFILE ${object}.d
    COMMENT "Compiling the BPF object ${name}"
    VERBATIM)
  file(MAKE_DIRECTORY ${skeleton_dir})
  string(CONCAT write_skeleton  # Generated code is not for clang-tidy.
    [[(echo '/* NOLINTBEGIN */' && "$0" gen skeleton "$1" name "$2" && echo '/* NOLINTEND */')]]
    [[ > "$3"]])
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${RPS_BPFTOOL} gen object ${stripped} ${object}
    COMMAND sh -c ${write_skeleton}
            ${RPS_BPFTOOL} ${stripped} ${name} ${skeleton}
    DEPENDS ${object}
    BYPRODUCTS ${stripped}
    COMMENT "Generating the skeleton ${name}.skel.h"
    VERBATIM)

  add_custom_target(${name}_generate DEPENDS ${skeleton})
  add_dependencies(generated ${name}_generate)
  add_library(${name}_skel INTERFACE)
  target_include_directories(${name}_skel SYSTEM INTERFACE ${skeleton_dir})
  target_link_libraries(${name}_skel INTERFACE PkgConfig::LIBBPF)
  add_dependencies(${name}_skel ${name}_generate)
endfunction()
