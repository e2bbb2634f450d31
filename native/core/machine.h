// What the machine can do at most: the ceilings that kernels are held against.
#pragma once
#include <cstddef>

#include "core/parallel.h"

namespace larmor {

/// Bytes read and written per second while `bytes` are copied from one block to another; the best of several copies.
double copy_bandwidth(const Parallel& parallel, size_t bytes);

/// Floating-point operations per second of multiply-adds in registers, two each, on `threads` threads; the best of several runs.
double multiply_add_peak(const Parallel& parallel, size_t threads);

}  // namespace larmor
