// The plugin that LARMOR_SOUND_PLUGIN names with one entry made wrong, to see whether the checker finds it. LARMOR_FAULT is "ENTRY KIND": `wrong` adds
// one to the first float of the entry's last result, `in-place` does where a result lies in an input's memory only, `unsteady` changes its last bit at
// every second call, `silent` makes it NaN again.
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "cuda/plugin.h"

namespace {

const LarmorCudaTable& sound() {
  static const LarmorCudaTable* const table = [] {
    void* const library = dlopen(std::getenv("LARMOR_SOUND_PLUGIN"), RTLD_NOW | RTLD_LOCAL);
    return reinterpret_cast<LarmorCudaEntry>(dlsym(library, LARMOR_CUDA_ENTRY))();
  }();
  return *table;
}

const std::string& fault() {
  static const std::string text = std::getenv("LARMOR_FAULT");
  return text;
}

std::string kind() { return fault().substr(fault().find(' ') + 1); }

float spoilt(float value, unsigned calls) {
  if (kind() == "wrong" || kind() == "in-place") return value + 1;
  if (kind() == "silent") return std::numeric_limits<float>::quiet_NaN();
  return calls % 2 == 0 ? value : std::nextafter(value, std::numeric_limits<float>::infinity());
}

/// The arrays that a call reads, and those that it may write to.
struct Arrays {
  std::vector<const float*> inputs;
  std::vector<float*> results;
  void add(const float* input) { inputs.push_back(input); }
  void add(float* result) {
    if (result != nullptr) results.push_back(result);
  }
  void add(...) {}
  bool in_place() const {
    return std::ranges::any_of(results, [&](const float* result) { return std::ranges::find(inputs, result) != inputs.end(); });
  }
};

template <auto Member, class... Given>
LarmorCudaStatus faulty(LarmorCudaContext* context, Given... given) {
  static unsigned calls = 0;
  const LarmorCudaStatus status = (sound().*Member)(context, given...);
  Arrays arrays;
  (arrays.add(given), ...);
  if (status != LARMOR_CUDA_OK || arrays.results.empty() || (kind() == "in-place" && !arrays.in_place())) return status;
  float* const result = arrays.results.back();
  float value = 0;
  if (sound().download(context, &value, result, sizeof value) != LARMOR_CUDA_OK) return status;
  value = spoilt(value, calls++);
  return sound().upload(context, result, &value, sizeof value);
}

template <auto Member, class... Given>
void spoil(LarmorCudaTable& table, const std::string& name, LarmorCudaStatus (*)(LarmorCudaContext*, Given...)) {
  if (fault().substr(0, fault().find(' ')) == name) table.*Member = faulty<Member, Given...>;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const LarmorCudaTable* larmor_cuda_table() {
  static const LarmorCudaTable table = [] {
    LarmorCudaTable t = sound();
    if (fault() == "self_test wrong") t.self_test = [](int32_t) { return LARMOR_CUDA_UNAVAILABLE; };
#define SPOIL(entry) spoil<&LarmorCudaTable::entry>(t, #entry, t.entry)
    SPOIL(fft2);
    SPOIL(encode);
    SPOIL(encode_adjoint);
    SPOIL(encode_normal);
    SPOIL(encode_maps_gradient);
    SPOIL(residual);
    SPOIL(sample_step);
    SPOIL(sample_step_gradient);
    SPOIL(data_loss);
    SPOIL(solve_normal);
    SPOIL(espirit_maps);
    SPOIL(instance_norm);
    SPOIL(instance_norm_gradient);
    SPOIL(instance_norm_output_gradient);
    SPOIL(conv3x3);
    SPOIL(conv3x3_weight_gradient);
    SPOIL(conv1x1_weight_gradient);
    SPOIL(conv_transpose2x2);
    SPOIL(conv_transpose2x2_input_gradient);
    SPOIL(conv_transpose2x2_weight_gradient);
    SPOIL(average_pool2x2_gradient);
    SPOIL(adam);
    SPOIL(squared_norm);
    SPOIL(scale);
    SPOIL(add_scaled);
    SPOIL(approach);
    return t;
  }();
  return &table;
}
