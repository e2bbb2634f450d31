{
  "includes": ["native/sources.gypi"],
  "target_defaults": {
    "include_dirs": ["native"],
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++20", "-O3", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-psabi", "-fvisibility=hidden", "-ffp-contract=off", "-fno-math-errno"],
    "conditions": [["OS=='mac'", { "xcode_settings": { "GCC_ENABLE_CPP_EXCEPTIONS": "YES", "CLANG_CXX_LANGUAGE_STANDARD": "c++20" } }]]
  },
  "targets": [
    {
      "target_name": "larmor_kernels_baseline",
      "type": "static_library",
      "sources": ["<@(core_sources_baseline)"]
    },
    {
      "target_name": "larmor_kernels_avx2",
      "type": "static_library",
      "sources": ["<@(core_sources_avx2)"],
      "conditions": [["target_arch=='x64'", { "cflags_cc": ["-mavx2", "-mfma", "-ffp-contract=fast"] }]]
    },
    {
      "target_name": "larmor_kernels_avx512",
      "type": "static_library",
      "sources": ["<@(core_sources_avx512)"],
      "conditions": [["target_arch=='x64'", { "cflags_cc": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mavx2", "-mfma", "-mprefer-vector-width=512", "-ffp-contract=fast"] }]]
    },
    {
      "target_name": "larmor",
      "sources": ["<@(core_sources)", "<@(gpu_sources)", "<@(ort_sources)", "<@(addon_sources)"],
      "dependencies": ["larmor_kernels_baseline", "larmor_kernels_avx2", "larmor_kernels_avx512"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "libraries": ["-ldl", "-lpthread"]
    }
  ]
}
