# embed_text(<variable> NAMESPACE <namespace> <function>=<file>…): appends sources to <variable>
# that define, for each pair, `std::string_view function()` in the namespace, which returns the
# file's text. An empty file name stands for an empty text.
#
# The sources are written while building, when a file has changed: this file runs as a script then.

if(CMAKE_SCRIPT_MODE_FILE)
  set(text "")
  if(INPUT)
    file(READ "${INPUT}" text)
  endif()
  # The delimiter occurs in no file.
  file(WRITE "${OUTPUT}" "#include <string_view>
namespace ${NAMESPACE} {
std::string_view ${FUNCTION}();
std::string_view ${FUNCTION}() {
  return R\"~embedded~(${text})~embedded~\";
}
}  // namespace ${NAMESPACE}
")
  return()
endif()

set(RPS_EMBED_TEXT ${CMAKE_CURRENT_LIST_FILE})

function(embed_text variable)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAMESPACE" "")
  set(sources ${${variable}})
  foreach(pair IN LISTS arg_UNPARSED_ARGUMENTS)
    string(REGEX MATCH "^([^=]+)=(.*)$" matched "${pair}")
    set(function ${CMAKE_MATCH_1})
    set(file ${CMAKE_MATCH_2})
    if(file)
      cmake_path(ABSOLUTE_PATH file)
    endif()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
    add_custom_command(
      OUTPUT ${source}
      COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${source} -DNAMESPACE=${arg_NAMESPACE}
              -DFUNCTION=${function} -P ${RPS_EMBED_TEXT}
      DEPENDS ${file} ${RPS_EMBED_TEXT}
      COMMENT "Embedding ${file}"
      VERBATIM)
    # The standard promises literals of 65,536 characters only; gcc and clang have no such limit.
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
    list(APPEND sources ${source})
  endforeach()
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()
