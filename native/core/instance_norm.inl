// One plane of instance normalisation followed by leaky ReLU, forward and backward.

constexpr size_t kNormBlock = 4096;  // floats summed in single precision before the sum moves to double; 16 KiB stay in the L1 cache

/// Mean and sum of squared deviations of a block: the second pass centres on a rounded mean and corrects for the rounding.
inline void block_moments(size_t n, const float* x, double& mean, double& squares) {
  const size_t vectors = n / kLanes;
  wide sum[4] = {};
  for (size_t i = 0; i < vectors; ++i) sum[i % 4] += load(x + i * kLanes);
  double total = sum_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
  for (size_t i = vectors * kLanes; i < n; ++i) total += x[i];

  const float centre = static_cast<float>(total / static_cast<double>(n));
  wide first[2] = {}, second[2] = {};
  for (size_t i = 0; i < vectors; ++i) {
    const wide d = load(x + i * kLanes) - centre;
    first[i % 2] += d;
    second[i % 2] += d * d;
  }
  double offset = sum_lanes(first[0] + first[1]);
  squares = sum_lanes(second[0] + second[1]);
  for (size_t i = vectors * kLanes; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - centre;
    offset += d;
    squares += d * d;
  }
  mean = centre + offset / static_cast<double>(n);
  squares -= offset * offset / static_cast<double>(n);
}

/// Blocks are merged with the pairwise update of Chan, Golub and LeVeque (1983).
void plane_moments(size_t n, const float* x, double* mean, double* variance) {
  double total_mean = 0, total_squares = 0;
  for (size_t begin = 0; begin < n; begin += kNormBlock) {
    const size_t size = n - begin < kNormBlock ? n - begin : kNormBlock;
    double block_mean, block_squares;
    block_moments(size, x + begin, block_mean, block_squares);
    const double before = static_cast<double>(begin), count = static_cast<double>(size), delta = block_mean - total_mean;
    total_mean += delta * count / (before + count);
    total_squares += block_squares + delta * delta * before * count / (before + count);
  }
  *mean = total_mean;
  *variance = total_squares / static_cast<double>(n);
}

void normalise_plane(size_t n, const NormPlane& plane, const float* x, float* y) {
  const float slope = plane.slope;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const wide a = (load(x + i) - plane.mean) * plane.inverse_deviation * plane.scale + plane.bias;
    store(y + i, a > 0 ? a : a * slope);
  }
  for (; i < n; ++i) {
    const float a = (x[i] - plane.mean) * plane.inverse_deviation * plane.scale + plane.bias;
    y[i] = a > 0 ? a : a * slope;
  }
}

/// z of the gradients.
template <class T>
T normal(const NormPlane& plane, T x) {
  const T z = (x - plane.mean) * plane.inverse_deviation;
  return z > 0 ? z : z * plane.below;
}

void norm_gradient_sums(size_t n, const NormPlane& plane, const float* dy, const float* x, double* sum, double* weighted_sum) {
  const float slope = plane.slope;
  *sum = *weighted_sum = 0;
  for (size_t begin = 0; begin < n; begin += kNormBlock) {
    const size_t end = n - begin < kNormBlock ? n : begin + kNormBlock;
    wide first = {}, second = {};
    size_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      const wide z = normal(plane, load(x + i)), upstream = load(dy + i);
      const wide g = z * plane.scale + plane.bias > 0 ? upstream : upstream * slope;
      first += g;
      second += g * z;
    }
    *sum += sum_lanes(first);
    *weighted_sum += sum_lanes(second);
    for (; i < end; ++i) {
      const float z = normal(plane, x[i]);
      const float g = z * plane.scale + plane.bias > 0 ? dy[i] : dy[i] * slope;
      *sum += g;
      *weighted_sum += static_cast<double>(g) * z;
    }
  }
}

void norm_gradient(size_t n, const NormPlane& plane, float mean_gradient, float mean_weighted, const float* dy, const float* x, float* dx) {
  const float factor = plane.inverse_deviation * plane.scale, slope = plane.slope;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const wide z = normal(plane, load(x + i)), upstream = load(dy + i);
    const wide g = z * plane.scale + plane.bias > 0 ? upstream : upstream * slope;
    store(dx + i, factor * (g - mean_gradient - z * mean_weighted));
  }
  for (; i < n; ++i) {
    const float z = normal(plane, x[i]);
    const float g = z * plane.scale + plane.bias > 0 ? dy[i] : dy[i] * slope;
    dx[i] = factor * (g - mean_gradient - z * mean_weighted);
  }
}
