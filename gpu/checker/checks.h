// Every kernel of the plugin against the processor's, at sizes that are asked for.
#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "device.h"

namespace larmor::gpu_check {

/// Encoding problems side by side.
struct Extent {
  uint32_t batch, sets, coils, ny, nx;
  size_t points() const { return size_t{ny} * nx; }
  size_t images() const { return size_t{batch} * sets; }
  size_t planes() const { return size_t{batch} * coils; }
  std::string words() const;
};

/// n images of `ci` channels that become `co`.
struct Planes {
  uint32_t n, ci, co, height, width;
  size_t points() const { return size_t{height} * width; }
  std::string words() const;
};

struct Sizes {
  std::vector<Extent> extents;
  std::vector<Planes> planes;
  static Sizes small();  // for tools that slow a device down a thousand times, and for an emulated one
  static Sizes full();   // those of scans and networks, and odd ones
};

/// What an array must hold after a run: all of it, or the floats `at` some places.
struct Wanted {
  const Array& array;
  Floats values;
  std::vector<size_t> at = {};
};

class Checks {
 public:
  /// Relative l2 error that a kernel may have.
  static constexpr double kLimit = 1e-5;

  Checks(const Device& device, Sizes sizes, int threads) : device(device), sizes(std::move(sizes)), cpu(threads) {}

  /// Poisons the arrays, runs, compares, and again: both runs must have the same bits. One line; a run that throws is a check that failed.
  void compare(const char* name, const std::string& what, const std::vector<Wanted>& wanted, const std::function<void()>& run, double limit = kLimit);
  /// A line of a check that could not be made.
  void fail(const char* name, const std::string& why);

  const Device& device;
  const Sizes sizes;
  const Pooled cpu;
  int made = 0, wrong = 0;
};

/// The checks of one file; `name` is what --only takes.
struct Group {
  const char* name;
  void (*run)(Checks&);
};

void check_transforms(Checks& checks);
void check_encoding(Checks& checks);
void check_samples(Checks& checks);
void check_solver(Checks& checks);
void check_espirit(Checks& checks);
void check_norms(Checks& checks);
void check_convolutions(Checks& checks);
void check_vectors(Checks& checks);

inline constexpr Group kGroups[] = {{"transforms", check_transforms}, {"encoding", check_encoding}, {"samples", check_samples},
                                    {"solver", check_solver},         {"espirit", check_espirit},   {"norms", check_norms},
                                    {"convolutions", check_convolutions}, {"vectors", check_vectors}};

}  // namespace larmor::gpu_check
