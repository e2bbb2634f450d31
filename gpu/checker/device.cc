// Opening the plugin and moving arrays.
#include "device.h"

#include <dlfcn.h>

#include <limits>

namespace larmor::gpu_check {
namespace {

const LarmorCudaTable* open_table(const std::string& plugin) {
  void* const library = dlopen(plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Unavailable(dlerror());
  const auto entry = reinterpret_cast<LarmorCudaEntry>(dlsym(library, LARMOR_CUDA_ENTRY));
  if (entry == nullptr) throw std::runtime_error(plugin + ": no " LARMOR_CUDA_ENTRY);
  const LarmorCudaTable* const table = entry();
  if (table->abi != LARMOR_CUDA_ABI || table->size != sizeof *table)
    throw std::runtime_error(plugin + ": built for interface " + std::to_string(table->abi) + ", this program for " + std::to_string(LARMOR_CUDA_ABI));
  return table;
}

}  // namespace

Device::Device(const std::string& plugin, int index) : table_(open_table(plugin)), index_(index) {
  int32_t devices = 0;
  if (table_->device_count(&devices) != LARMOR_CUDA_OK) throw Unavailable(table_->last_error());
  if (index < 0 || index >= devices) throw Unavailable("there are " + std::to_string(devices) + " devices, and device " + std::to_string(index) + " was asked for");
  expect("describe_device", table_->describe_device(index, &description_));
  expect("context_create", table_->context_create(index, &context_));
}

Device::~Device() { table_->context_destroy(context_); }

void Device::expect(const char* name, LarmorCudaStatus status) const {
  if (status != LARMOR_CUDA_OK) throw std::runtime_error(std::string(name) + ": status " + std::to_string(status) + ", " + table_->last_error());
}

LarmorCudaMemory Device::memory() const {
  LarmorCudaMemory use{};
  call("memory", table_->memory, &use);
  return use;
}

Array::Array(const Device& device, size_t count) : device_(device), count_(count) {
  device.call("allocate", device->allocate, count * sizeof(float), &data_);
}

// On a device that failed, as a check may have made it, nothing can be released.
Array::~Array() {
  try {
    device_.call("release", device_->release, data_);
  } catch (const std::exception&) {
  }
}

void Array::set(const Floats& values) const {
  if (values.size() != count_) throw std::logic_error("an array of another length");
  device_.call("upload", device_->upload, data_, values.data(), count_ * sizeof(float));
}

void Array::poison() const { set(Floats(count_, std::numeric_limits<float>::quiet_NaN())); }

Floats Array::get() const {
  Floats values(count_);
  device_.call("download", device_->download, values.data(), data_, count_ * sizeof(float));
  return values;
}

}  // namespace larmor::gpu_check
