// Normalisation, convolutions, pooling and their gradients of the reference plugin. To be included by reference_plugin.cc.
#pragma once

LarmorCudaStatus instance_norm(LarmorCudaContext*, const LarmorCudaNorm* norm, float epsilon, const float* x, float* y, float* mean,
                               float* inverse_deviation) {
  for (size_t plane = 0; plane < size_t{norm->n} * norm->channels; ++plane) {
    const size_t c = plane % norm->channels, begin = plane * norm->pixels;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < norm->pixels; ++i) sum += x[begin + i];
    const double m = sum / norm->pixels;
    for (size_t i = 0; i < norm->pixels; ++i) squares += (x[begin + i] - m) * (x[begin + i] - m);
    const double inverse = 1 / std::sqrt(squares / norm->pixels + double{epsilon});
    for (size_t i = 0; i < norm->pixels; ++i) {
      const double z = (x[begin + i] - m) * inverse;
      const double a = norm->device_scale ? norm->device_scale[c] * z + norm->device_bias[c] : z;
      y[begin + i] = static_cast<float>(a > 0 ? a : a * norm->slope);
    }
    mean[plane] = static_cast<float>(m);
    inverse_deviation[plane] = static_cast<float>(inverse);
  }
  return LARMOR_CUDA_OK;
}

/// dx of one plane from its normalised values z and the gradient g of what they were scaled to.
void norm_input_gradient(const std::vector<double>& g, const std::vector<double>& z, double factor, float* dx) {
  double mean_g = 0, mean_gz = 0;
  for (size_t i = 0; i < g.size(); ++i) mean_g += g[i] / static_cast<double>(g.size()), mean_gz += g[i] * z[i] / static_cast<double>(g.size());
  for (size_t i = 0; i < g.size(); ++i) dx[i] = static_cast<float>(factor * (g[i] - mean_g - z[i] * mean_gz));
}

LarmorCudaStatus instance_norm_gradient(LarmorCudaContext*, const LarmorCudaNorm* norm, const float* dy, const float* x, const float* mean,
                                        const float* inverse_deviation, float* dx, float* dscale, float* dbias) {
  std::vector<double> g(norm->pixels), z(norm->pixels), scales(norm->channels), biases(norm->channels);
  for (size_t plane = 0; plane < size_t{norm->n} * norm->channels; ++plane) {
    const size_t c = plane % norm->channels, begin = plane * norm->pixels;
    const double scale = norm->device_scale ? norm->device_scale[c] : 1, bias = norm->device_bias ? norm->device_bias[c] : 0;
    for (size_t i = 0; i < norm->pixels; ++i) {
      z[i] = (double{x[begin + i]} - mean[plane]) * inverse_deviation[plane];
      g[i] = dy[begin + i] * (scale * z[i] + bias > 0 ? 1.0 : double{norm->slope});
      scales[c] += g[i] * z[i];
      biases[c] += g[i];
    }
    norm_input_gradient(g, z, inverse_deviation[plane] * scale, dx + begin);
  }
  for (size_t c = 0; c < norm->channels; ++c) {
    if (dscale) dscale[c] = static_cast<float>(scales[c]);
    if (dbias) dbias[c] = static_cast<float>(biases[c]);
  }
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus instance_norm_output_gradient(LarmorCudaContext*, const LarmorCudaNorm* norm, const float* dy, const float* y,
                                               const float* inverse_deviation, float* dx) {
  std::vector<double> g(norm->pixels), z(norm->pixels);
  for (size_t plane = 0; plane < size_t{norm->n} * norm->channels; ++plane) {
    const size_t begin = plane * norm->pixels;
    for (size_t i = 0; i < norm->pixels; ++i) {
      const double slope = y[begin + i] > 0 ? 1 : norm->slope;
      z[i] = y[begin + i] / slope;
      g[i] = dy[begin + i] * slope;
    }
    norm_input_gradient(g, z, inverse_deviation[plane], dx + begin);
  }
  return LARMOR_CUDA_OK;
}

/// Plane `channel` of image n, the channels lying in two arrays from `split` on.
template <class T>
T* plane_of(T* first, T* second, size_t channels, size_t split, size_t n, size_t channel, size_t pixels) {
  return channel < split ? first + (n * split + channel) * pixels : second + (n * (channels - split) + channel - split) * pixels;
}

/// Calls body(tap, from, to) for every pixel `to` and the pixel `from` that tap (ky, kx) of a 3x3 kernel sees there, inside the image.
template <class Body>
void each_tap(int64_t height, int64_t width, Body body) {
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t ky = -1; ky <= 1; ++ky)
        for (int64_t kx = -1; kx <= 1; ++kx)
          if (y + ky >= 0 && y + ky < height && x + kx >= 0 && x + kx < width)
            body(static_cast<size_t>(3 * ky + kx + 4), static_cast<size_t>((y + ky) * width + x + kx), static_cast<size_t>(y * width + x));
}

LarmorCudaStatus conv3x3(LarmorCudaContext*, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, uint32_t split, int32_t transposed,
                         const float* x, const float* beside, const float* weights, uint32_t split_out, float* y, float* y_beside) {
  const size_t pixels = size_t{height} * width;
  for (size_t image = 0; image < n; ++image)
    for (size_t out = 0; out < co; ++out) {
      std::vector<double> sums(pixels);
      for (size_t in = 0; in < ci; ++in) {
        const float* const from = plane_of(x, beside, ci, split, image, in, pixels);
        const float* const kernel = weights + 9 * (transposed ? in * co + out : out * ci + in);
        each_tap(height, width, [&](size_t tap, size_t seen, size_t to) { sums[to] += double{kernel[transposed ? 8 - tap : tap]} * from[seen]; });
      }
      float* const to = plane_of(y, y_beside, co, split_out, image, out, pixels);
      for (size_t i = 0; i < pixels; ++i) to[i] = static_cast<float>(sums[i]);
    }
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus conv3x3_weight_gradient(LarmorCudaContext*, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, uint32_t split,
                                         const float* x, const float* beside, const float* dy, float* dw) {
  const size_t pixels = size_t{height} * width;
  for (size_t out = 0; out < co; ++out)
    for (size_t in = 0; in < ci; ++in) {
      double sums[9] = {};
      for (size_t image = 0; image < n; ++image) {
        const float* const from = plane_of(x, beside, ci, split, image, in, pixels);
        const float* const change = dy + (image * co + out) * pixels;
        each_tap(height, width, [&](size_t tap, size_t seen, size_t to) { sums[tap] += double{change[to]} * from[seen]; });
      }
      for (size_t tap = 0; tap < 9; ++tap) dw[9 * (out * ci + in) + tap] = static_cast<float>(sums[tap]);
    }
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus conv1x1_weight_gradient(LarmorCudaContext*, uint32_t n, uint32_t ci, uint32_t co, uint64_t pixels, const float* x, const float* dy,
                                         float* dw, float* dbias) {
  for (size_t out = 0; out < co; ++out)
    for (size_t in = 0; in < ci; ++in) {
      double sum = 0, bias = 0;
      for (size_t image = 0; image < n; ++image)
        for (size_t i = 0; i < pixels; ++i) {
          const double change = dy[(image * co + out) * pixels + i];
          sum += change * x[(image * ci + in) * pixels + i];
          bias += change;
        }
      dw[out * ci + in] = static_cast<float>(sum);
      if (dbias) dbias[out] = static_cast<float>(bias);
    }
  return LARMOR_CUDA_OK;
}

/// Calls body(index in x, index in y, index in the weights) for every product of a transposed 2x2 convolution.
template <class Body>
void each_product2x2(size_t n, size_t ci, size_t co, size_t height, size_t width, Body body) {
  for (size_t image = 0; image < n; ++image)
    for (size_t in = 0; in < ci; ++in)
      for (size_t out = 0; out < co; ++out)
        for (size_t y = 0; y < height; ++y)
          for (size_t x = 0; x < width; ++x)
            for (size_t tap = 0; tap < 4; ++tap)
              body(((image * ci + in) * height + y) * width + x, ((image * co + out) * 2 * height + 2 * y + tap / 2) * 2 * width + 2 * x + tap % 2,
                   (in * co + out) * 4 + tap);
}

void store_all(const std::vector<double>& sums, float* to) {
  for (size_t i = 0; i < sums.size(); ++i) to[i] = static_cast<float>(sums[i]);
}

LarmorCudaStatus conv_transpose2x2(LarmorCudaContext*, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, const float* x,
                                   const float* weights, float* y) {
  std::vector<double> sums(size_t{4} * n * co * height * width);
  each_product2x2(n, ci, co, height, width, [&](size_t from, size_t to, size_t w) { sums[to] += double{x[from]} * weights[w]; });
  store_all(sums, y);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus conv_transpose2x2_input_gradient(LarmorCudaContext*, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                                  const float* dy, const float* weights, float* dx) {
  std::vector<double> sums(size_t{n} * ci * height * width);
  each_product2x2(n, ci, co, height, width, [&](size_t from, size_t to, size_t w) { sums[from] += double{dy[to]} * weights[w]; });
  store_all(sums, dx);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus conv_transpose2x2_weight_gradient(LarmorCudaContext*, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                                   const float* x, const float* dy, float* dw) {
  std::vector<double> sums(size_t{4} * ci * co);
  each_product2x2(n, ci, co, height, width, [&](size_t from, size_t to, size_t w) { sums[w] += double{dy[to]} * x[from]; });
  store_all(sums, dw);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus average_pool2x2_gradient(LarmorCudaContext*, uint64_t planes, uint32_t height, uint32_t width, const float* dy, float* dx) {
  const size_t rows = height / 2, columns = width / 2;
  for (size_t plane = 0; plane < planes; ++plane)
    for (size_t y = 0; y < height; ++y)
      for (size_t x = 0; x < width; ++x)
        dx[(plane * height + y) * width + x] = y / 2 < rows && x / 2 < columns ? dy[(plane * rows + y / 2) * columns + x / 2] / 4 : 0;
  return LARMOR_CUDA_OK;
}
