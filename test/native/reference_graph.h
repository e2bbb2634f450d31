// What graphs and training need of the CUDA plugin's table, on host memory in plain loops and double precision. To be included by
// reference_plugin.cc, whose encoding operators of interleaved images it builds on.
#pragma once

/// Planes [.., 2, points] to interleaved [.., points, 2], or back.
std::vector<float> interleaved(const float* planes, size_t images, size_t points) {
  std::vector<float> result(2 * images * points);
  for (size_t i = 0; i < images; ++i)
    for (size_t part = 0; part < 2; ++part)
      for (size_t p = 0; p < points; ++p) result[2 * (i * points + p) + part] = planes[(2 * i + part) * points + p];
  return result;
}

void to_planes(const std::vector<float>& from, size_t points, float* planes) {
  for (size_t i = 0; i < from.size() / 2 / points; ++i)
    for (size_t part = 0; part < 2; ++part)
      for (size_t p = 0; p < points; ++p) planes[(2 * i + part) * points + p] = from[2 * (i * points + p) + part];
}

size_t points_of(const LarmorCudaEncoding& e) { return size_t{e.ny} * e.nx; }
size_t images_of(const LarmorCudaEncoding& e) { return size_t{e.batch} * e.sets; }

LarmorCudaEncoding without_planes(const LarmorCudaEncoding& e) {
  LarmorCudaEncoding result = e;
  result.planar = 0;
  return result;
}

LarmorCudaStatus graph_encode(LarmorCudaContext* context, const LarmorCudaEncoding* e, const float* image, float* kspace) {
  if (!e->planar) return encode(context, e, image, kspace);
  const LarmorCudaEncoding flat = without_planes(*e);
  return encode(context, &flat, interleaved(image, images_of(*e), points_of(*e)).data(), kspace);
}

/// Calls apply(encoding of interleaved images, result) and gives the result in the layout asked for.
template <class Apply>
LarmorCudaStatus give_image(const LarmorCudaEncoding* e, float* image, Apply apply) {
  if (!e->planar) return apply(e, image);
  const LarmorCudaEncoding flat = without_planes(*e);
  std::vector<float> result(2 * images_of(*e) * points_of(*e));
  const LarmorCudaStatus status = apply(&flat, result.data());
  to_planes(result, points_of(*e), image);
  return status;
}

LarmorCudaStatus graph_adjoint(LarmorCudaContext* context, const LarmorCudaEncoding* e, const float* kspace, float* image) {
  return give_image(e, image, [&](const LarmorCudaEncoding* flat, float* out) { return encode_adjoint(context, flat, kspace, out); });
}

LarmorCudaStatus graph_normal(LarmorCudaContext* context, const LarmorCudaEncoding* e, const float* image, float* result) {
  std::vector<float> kspace(2 * e->batch * e->coils * points_of(*e));
  graph_encode(context, e, image, kspace.data());
  return graph_adjoint(context, e, kspace.data(), result);
}

LarmorCudaStatus graph_solve(LarmorCudaContext* context, const LarmorCudaEncoding* e, const LarmorCudaSolve* solve, const float* b, float* x,
                             uint32_t* iterations, float* residuals) {
  if (!e->planar) return solve_normal(context, e, solve, b, x, iterations, residuals);
  const std::vector<float> rhs = interleaved(b, images_of(*e), points_of(*e)), start = interleaved(x, images_of(*e), points_of(*e));
  return give_image(e, x, [&](const LarmorCudaEncoding* flat, float* out) {
    std::copy(start.begin(), start.end(), out);
    return solve_normal(context, flat, solve, rhs.data(), out, iterations, residuals);
  });
}

double weight_at(const LarmorCudaEncoding& e, const float* mask, size_t image, size_t point) {
  return e.lines ? mask[image * e.nx + point % e.nx] : mask[image * points_of(e) + point];
}

/// Calls body(index of a float of k-space, its mask) for all of the batch.
template <class Body>
void each_sample(const LarmorCudaEncoding& e, const float* mask, Body body) {
  for (size_t b = 0, i = 0; b < e.batch; ++b)
    for (size_t coil = 0; coil < e.coils; ++coil)
      for (size_t p = 0; p < points_of(e); ++p)
        for (size_t part = 0; part < 2; ++part) body(i++, weight_at(e, mask, b, p));
}

LarmorCudaStatus maps_gradient(LarmorCudaContext* context, const LarmorCudaEncoding* e, const float* image, const float* kspace, float* maps) {
  const size_t n = points_of(*e);
  const std::vector<float> x = e->planar ? interleaved(image, e->batch, n) : std::vector<float>(image, image + 2 * e->batch * n);
  std::vector<float> masked(2 * e->batch * e->coils * n);
  each_sample(*e, e->device_mask, [&](size_t i, double m) { masked[i] = static_cast<float>(m * kspace[i]); });
  fft2(context, 1, uint64_t{e->batch} * e->coils, e->ny, e->nx, masked.data(), masked.data());
  const Image combined = load(masked.data(), masked.size() / 2), object = load(x.data(), x.size() / 2);
  Image result(combined.size());
  for (size_t i = 0; i < result.size(); ++i) result[i] = std::conj(object[i / (e->coils * n) * n + i % n]) * combined[i];
  store(result, maps);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus sample_step(LarmorCudaContext*, const LarmorCudaEncoding* e, const float* kspace, const float* step, const float* measured,
                             const float* change, float* result) {
  each_sample(*e, e->device_mask, [&](size_t i, double m) {
    const double y = measured ? measured[i] : 0, c = change ? change[i] : 0;
    result[i] = static_cast<float>(kspace[i] - double{*step} * m * (kspace[i] - y) + c);
  });
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus sample_step_gradient(LarmorCudaContext*, const LarmorCudaEncoding* e, const float* dy, const float* kspace, const float* measured,
                                      float* dstep) {
  double sum = 0;
  each_sample(*e, e->device_mask, [&](size_t i, double m) { sum -= m * (kspace[i] - (measured ? double{measured[i]} : 0)) * dy[i]; });
  *dstep = static_cast<float>(sum);
  return LARMOR_CUDA_OK;
}

/// Misfit of `predicted` to `kspace` where the mask is, relative to the samples; its norm's parts are returned.
struct Misfit {
  double value = 0, residual = 0, reference = 0;
};
Misfit misfit(int32_t norm, const LarmorCudaEncoding& e, const float* mask, const std::vector<float>& predicted, const float* kspace) {
  Misfit result;
  each_sample(e, mask, [&](size_t i, double m) {
    const double r = m * (double{predicted[i]} - kspace[i]), y = m * kspace[i];
    result.residual += norm == 1 ? std::abs(r) : r * r;
    result.reference += norm == 1 ? std::abs(y) : y * y;
  });
  if (norm == 2) result.residual = std::sqrt(result.residual), result.reference = std::sqrt(result.reference);
  result.value = result.reference > 0 ? result.residual / result.reference : 0;
  return result;
}

LarmorCudaStatus data_loss(LarmorCudaContext* context, int32_t norm, const LarmorCudaEncoding* e, const float* held_out, const float* image,
                           const float* kspace, float* loss, float* held_out_loss, float* gradient) {
  const std::vector<float> everywhere(e->batch * (e->lines ? e->nx : points_of(*e)), 1);
  LarmorCudaEncoding all = *e;
  all.device_mask = everywhere.data();
  std::vector<float> predicted(2 * e->batch * e->coils * points_of(*e)), residual(predicted.size());
  graph_encode(context, &all, image, predicted.data());
  const Misfit trained = misfit(norm, *e, e->device_mask, predicted, kspace);
  *loss = static_cast<float>(trained.value);
  *held_out_loss = static_cast<float>(misfit(norm, *e, held_out, predicted, kspace).value);
  each_sample(*e, e->device_mask, [&](size_t i, double m) {
    const double r = m * (double{predicted[i]} - kspace[i]);
    const double slope = norm == 1 ? (r > 0) - (r < 0) : trained.residual > 0 ? r / trained.residual : 0;
    residual[i] = static_cast<float>(slope / trained.reference);
  });
  return graph_adjoint(context, e, residual.data(), gradient);
}

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

LarmorCudaStatus adam(LarmorCudaContext*, const LarmorCudaAdam* o, uint64_t count, float* parameters, const float* gradient, float* m, float* v) {
  const double c1 = 1 - std::pow(o->beta1, o->step), c2 = 1 - std::pow(o->beta2, o->step);
  for (uint64_t i = 0; i < count; ++i) {
    m[i] = static_cast<float>(o->beta1 * m[i] + (1 - o->beta1) * gradient[i]);
    v[i] = static_cast<float>(o->beta2 * v[i] + (1 - o->beta2) * gradient[i] * gradient[i]);
    parameters[i] = static_cast<float>(parameters[i] - o->learning_rate * (m[i] / c1) / (std::sqrt(v[i] / c2) + o->epsilon));
  }
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus squared_norm(LarmorCudaContext*, uint64_t count, const float* values, float* result) {
  double sum = 0;
  for (uint64_t i = 0; i < count; ++i) sum += double{values[i]} * values[i];
  *result = static_cast<float>(sum);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus scale(LarmorCudaContext*, uint64_t count, float factor, float* values) {
  for (uint64_t i = 0; i < count; ++i) values[i] *= factor;
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus approach(LarmorCudaContext*, uint64_t count, float rate, const float* values, float* to) {
  for (uint64_t i = 0; i < count; ++i) to[i] += rate * (values[i] - to[i]);
  return LARMOR_CUDA_OK;
}

/// Fills the functions above in.
void add_graph_functions(LarmorCudaTable& t) {
  t.encode = graph_encode;
  t.encode_adjoint = graph_adjoint;
  t.encode_normal = graph_normal;
  t.encode_maps_gradient = maps_gradient;
  t.sample_step = sample_step;
  t.sample_step_gradient = sample_step_gradient;
  t.data_loss = data_loss;
  t.solve_normal = graph_solve;
  t.instance_norm = instance_norm;
  t.instance_norm_gradient = instance_norm_gradient;
  t.instance_norm_output_gradient = instance_norm_output_gradient;
  t.conv3x3 = conv3x3;
  t.conv3x3_weight_gradient = conv3x3_weight_gradient;
  t.conv1x1_weight_gradient = conv1x1_weight_gradient;
  t.conv_transpose2x2 = conv_transpose2x2;
  t.conv_transpose2x2_input_gradient = conv_transpose2x2_input_gradient;
  t.conv_transpose2x2_weight_gradient = conv_transpose2x2_weight_gradient;
  t.average_pool2x2_gradient = average_pool2x2_gradient;
  t.adam = adam;
  t.squared_norm = squared_norm;
  t.scale = scale;
  t.approach = approach;
}
