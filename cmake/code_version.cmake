# Run at every build; writes OUTPUT only when its text changes, so that a commit rebuilds one small file.
#   cmake -DSOURCE=<tree> -DVERSION=0.1.0 -DTEMPLATE=code_version.cpp.in -DOUTPUT=code_version.cpp -P code_version.cmake
set(CODE_VERSION ${VERSION})
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --match=v*
                OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(NOT failed AND NOT described STREQUAL "")
  set(CODE_VERSION "${VERSION}+${described}")
endif()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
