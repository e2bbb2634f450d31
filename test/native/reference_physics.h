// What graphs need of the encoding operator in the reference plugin: images in planes, gradients, data losses. To be included by reference_plugin.cc, after
// reference_encoding.h.
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
