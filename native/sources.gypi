{
  "variables": {
    "core_sources": [
      "native/core/adam.cc",
      "native/core/calibration_region.cc",
      "native/core/cholesky.cc",
      "native/core/coils.cc",
      "native/core/conjugate_gradients.cc",
      "native/core/conv1x1.cc",
      "native/core/conv3x3.cc",
      "native/core/conv_transpose2x2.cc",
      "native/core/data_loss.cc",
      "native/core/data_scale.cc",
      "native/core/dispatch.cc",
      "native/core/encoding.cc",
      "native/core/espirit.cc",
      "native/core/fft.cc",
      "native/core/fft_plan.cc",
      "native/core/grappa.cc",
      "native/core/hermitian_eigen.cc",
      "native/core/instance_norm.cc",
      "native/core/parallel.cc",
      "native/core/patch_gram.cc",
      "native/core/patch_space.cc",
      "native/core/pooling.cc",
      "native/core/sampling_patterns.cc",
      "native/core/scratch.cc"
    ],
    "core_sources_baseline": ["native/core/kernels_baseline.cc"],
    "core_sources_avx2": ["native/core/kernels_avx2.cc"],
    "core_sources_avx512": ["native/core/kernels_avx512.cc"],
    "ort_sources": [
      "native/ort/custom_op.cc",
      "native/ort/custom_ops.cc",
      "native/ort/library.cc",
      "native/ort/network_ops.cc",
      "native/ort/physics_ops.cc",
      "native/ort/session.cc",
      "native/ort/shapes.cc"
    ],
    "addon_sources": [
      "native/addon/addon.cc",
      "native/addon/calibration.cc",
      "native/addon/encoding.cc",
      "native/addon/fft.cc",
      "native/addon/finite.cc",
      "native/addon/memory.cc",
      "native/addon/neighbours.cc",
      "native/addon/optimiser.cc",
      "native/addon/platform.cc",
      "native/addon/session.cc",
      "native/addon/solvers.cc"
    ],
    "native_tests": [
      "test/native/cholesky_test.cc",
      "test/native/conjugate_gradients_test.cc",
      "test/native/custom_op_test.cc",
      "test/native/data_scale_test.cc",
      "test/native/encoding_test.cc",
      "test/native/espirit_test.cc",
      "test/native/fft_test.cc",
      "test/native/hermitian_eigen_test.cc",
      "test/native/network_test.cc",
      "test/native/parallel_test.cc",
      "test/native/patch_gram_test.cc"
    ]
  }
}
