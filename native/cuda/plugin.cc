// The one exported function: the table.
#include "cuda/plugin.h"

#include "cuda/entries.h"
#include "cuda/failure.h"

extern "C" __attribute__((visibility("default"))) const LarmorCudaTable* larmor_cuda_table() {
  using namespace larmor::cuda;
  static const LarmorCudaTable table = [] {
    LarmorCudaTable t{};
    t.abi = LARMOR_CUDA_ABI;
    t.size = sizeof t;
    t.last_error = last_error;

    t.device_count = device_count;
    t.describe_device = describe_device;
    t.self_test = self_test;

    t.context_create = context_create;
    t.context_destroy = context_destroy;
    t.context_stream = context_stream;
    t.synchronize = synchronize;
    t.memory = memory;
    t.trim = trim;

    t.allocate = allocate;
    t.release = release;
    t.upload = upload;
    t.download = download;
    t.copy = copy;
    t.fill_zero = fill_zero;

    t.fft2 = fft2;
    t.encode = encode;
    t.encode_adjoint = encode_adjoint;
    t.encode_normal = encode_normal;
    t.encode_maps_gradient = encode_maps_gradient;
    t.residual = residual;
    t.sample_step = sample_step;
    t.sample_step_gradient = sample_step_gradient;
    t.data_loss = data_loss;
    t.solve_normal = solve_normal;

    t.espirit_maps = espirit_maps;

    t.instance_norm = instance_norm;
    t.instance_norm_gradient = instance_norm_gradient;
    t.instance_norm_output_gradient = instance_norm_output_gradient;
    t.conv3x3 = conv3x3;
    t.conv3x3_weight_gradient = conv3x3_weight_gradient;
    t.conv1x1_weight_gradient = conv1x1_weight_gradient;
    t.conv_transpose2x2_weight_gradient = conv_transpose2x2_weight_gradient;
    t.conv_transpose2x2 = conv_transpose2x2;
    t.conv_transpose2x2_input_gradient = conv_transpose2x2_input_gradient;
    t.average_pool2x2_gradient = average_pool2x2_gradient;
    t.adam = adam;
    t.squared_norm = squared_norm;
    t.scale = scale;
    t.add_scaled = add_scaled;
    t.approach = approach;
    return t;
  }();
  return &table;
}
