// Working memory for one task: aligned for wide loads and kept for the next one, so that repeated calls do not touch fresh pages.
#pragma once
#include <cstddef>

namespace larmor {

/// `floats` uninitialised floats on a 64-byte boundary, for the lifetime of the object. Blocks may nest within a thread.
class Scratch {
 public:
  explicit Scratch(size_t floats);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  float* data() const { return data_; }

 private:
  float* data_;
  size_t bytes_;
};

}  // namespace larmor
