# The CUDA plugin, liblarmor_cuda.so, for all devices that the nvcc found here knows, from sm_75 on.
include(CheckLanguage)
set(CUDA_PLUGIN_FOLDER "${CMAKE_BINARY_DIR}/plugin")
file(MAKE_DIRECTORY "${CUDA_PLUGIN_FOLDER}")

set(CMAKE_CUDA_ARCHITECTURES OFF)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  add_custom_target(larmor_cuda COMMAND ${CMAKE_COMMAND} -E echo "No nvcc was found (PATH, CUDACXX): the CUDA plugin is not built.")
  return()
endif()
enable_language(CUDA)
if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # of CMake 3.25 for nvcc 13
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()

# Code for the first device of every generation, which runs on all of that generation, for the newest, and for later ones to compile.
# LARMOR_CUDA_ARCHITECTURES=75 builds for one alone, in a fraction of the time.
if(NOT DEFINED LARMOR_CUDA_ARCHITECTURES)
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE codes COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "sm_[0-9]+" codes "${codes}")
  list(TRANSFORM codes REPLACE "sm_" "")
  list(SORT codes COMPARE NATURAL)
  list(GET codes -1 newest)
  foreach(code ${codes})
    math(EXPR generation "${code} / 10")
    if(code GREATER_EQUAL 75 AND NOT generation EQUAL last_generation AND NOT code EQUAL newest)
      list(APPEND LARMOR_CUDA_ARCHITECTURES ${code}-real)
      set(last_generation ${generation})
    endif()
  endforeach()
  list(APPEND LARMOR_CUDA_ARCHITECTURES ${newest})
endif()
message(STATUS "CUDA plugin for ${LARMOR_CUDA_ARCHITECTURES}")

add_library(larmor_cuda SHARED EXCLUDE_FROM_ALL ${cuda_sources})
set_target_properties(larmor_cuda PROPERTIES
  LIBRARY_OUTPUT_DIRECTORY "${CUDA_PLUGIN_FOLDER}"
  CUDA_ARCHITECTURES "${LARMOR_CUDA_ARCHITECTURES}"
  CUDA_RUNTIME_LIBRARY Static
  CUDA_STANDARD 20
  CUDA_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON)
target_include_directories(larmor_cuda PRIVATE native)
target_include_directories(larmor_cuda SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
# -t: the devices of one file side by side. Compressed, the library is a third of what it would be.
target_compile_options(larmor_cuda PRIVATE
  "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings -Xcompiler=-Wall,-Wextra,-Werror,-Wno-psabi,-Wno-unknown-pragmas -t 2 --compress-mode=size>")
target_link_libraries(larmor_cuda PRIVATE ${CMAKE_DL_LIBS})
target_link_options(larmor_cuda PRIVATE -static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL -Wl,--no-undefined -s
  -Wl,--version-script=${CMAKE_SOURCE_DIR}/native/cuda/plugin.map)
if(TARGET larmor_cuda_check)
  add_dependencies(larmor_cuda larmor_cuda_check)
endif()
