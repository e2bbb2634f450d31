{
  "variables": {
    "core_sources": [
      "native/core/dispatch.cc",
      "native/core/parallel.cc"
    ],
    "core_sources_baseline": ["native/core/kernels_baseline.cc"],
    "core_sources_avx2": ["native/core/kernels_avx2.cc"],
    "core_sources_avx512": ["native/core/kernels_avx512.cc"],
    "ort_sources": [
    ],
    "addon_sources": [
      "native/addon/addon.cc",
      "native/addon/memory.cc",
      "native/addon/platform.cc"
    ],
    "native_tests": [
      "test/native/parallel_test.cc"
    ]
  }
}
