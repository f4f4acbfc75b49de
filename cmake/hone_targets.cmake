# One stage of hone is one CMake target; LINKS is the list of arrows between stages.

add_library(hone_flags INTERFACE)
target_include_directories(hone_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
target_compile_options(hone_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Werror=return-type -Werror=unused-result
  -ffp-contract=off)  # every CPU computes the same bits
if(HONE_SANITIZE)
  target_compile_options(hone_flags INTERFACE -fsanitize=${HONE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(hone_flags INTERFACE -fsanitize=${HONE_SANITIZE})
endif()
option(HONE_LIBFUZZER "Build fuzz targets with libFuzzer (needs clang)" OFF)
if(HONE_LIBFUZZER)
  target_compile_options(hone_flags INTERFACE -fsanitize=fuzzer-no-link)  # what is fuzzed tells where it went
endif()

# At most two compile jobs for sources whose headers are heavy (Beast, libtorch, ONNX protobuf).
set_property(GLOBAL APPEND PROPERTY JOB_POOLS heavy=2)

# hone_library(hone_spool SOURCES spool.cpp LINKS hone_base)
function(hone_library name)
  cmake_parse_arguments(ARG "HEAVY" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC hone_flags ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  if(ARG_HEAVY)
    set_target_properties(${name} PROPERTIES JOB_POOL_COMPILE heavy)
  endif()
endfunction()

# hone_app(hone-cloud SOURCES main.cpp LINKS hone_service)   -> build/<preset>/bin/hone-cloud
function(hone_app name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE hone_flags ${ARG_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# hone_test(spool_test SOURCES spool_test.cpp LINKS hone_spool)   one ctest entry per binary
function(hone_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE hone_flags ${ARG_LINKS} GTest::gmock GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
endfunction()

# hone_fuzz(npy_fuzz SOURCES npy_fuzz.cpp LINKS hone_wire CORPUS tests/fuzz/corpus/npy)
# The source defines LLVMFuzzerTestOneInput. With clang and -DHONE_LIBFUZZER=ON it is a libFuzzer
# binary (`make fuzz` runs them all); else tests/fuzz/driver.cpp replays the corpus and a seeded number of its mutations,
# which is the slice that `make test` runs.
function(hone_fuzz name)
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;LINKS" ${ARGN})
  if(HONE_LIBFUZZER)
    add_executable(${name} ${ARG_SOURCES})
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    file(WRITE ${CMAKE_BINARY_DIR}/fuzz/${name}.corpus ${CMAKE_SOURCE_DIR}/${ARG_CORPUS})
    set_property(GLOBAL APPEND PROPERTY HONE_FUZZ_TARGETS ${name})
  else()
    add_executable(${name} ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fuzz/driver.cpp)
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_SOURCE_DIR}/${ARG_CORPUS})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120)
  endif()
  target_link_libraries(${name} PRIVATE hone_flags ${ARG_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()
