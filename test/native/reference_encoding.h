// Transforms, the encoding operator of interleaved images and conjugate gradients of the reference plugin. To be included by reference_plugin.cc.
#pragma once

using Complex = std::complex<double>;
using Image = std::vector<Complex>;

Image load(const float* from, size_t n) {
  Image x(n);
  for (size_t i = 0; i < n; ++i) x[i] = {from[2 * i], from[2 * i + 1]};
  return x;
}

void store(const Image& x, float* to) {
  for (size_t i = 0; i < x.size(); ++i) {
    to[2 * i] = static_cast<float>(x[i].real());
    to[2 * i + 1] = static_cast<float>(x[i].imag());
  }
}

/// The centred unitary transform of `count` vectors of n samples, `stride` apart, by its definition.
void dft(bool inverse, size_t n, size_t stride, Complex* x) {
  const auto c = static_cast<int64_t>(n / 2);
  std::vector<Complex> y(n), roots(n);
  for (size_t i = 0; i < n; ++i) roots[i] = std::polar(1 / std::sqrt(static_cast<double>(n)), (inverse ? 2 : -2) * M_PI * static_cast<double>(i) / static_cast<double>(n));
  for (size_t k = 0; k < n; ++k)
    for (size_t j = 0; j < n; ++j) {
      const int64_t turns = (static_cast<int64_t>(j) - c) * (static_cast<int64_t>(k) - c) % static_cast<int64_t>(n);
      y[k] += x[j * stride] * roots[static_cast<size_t>(turns < 0 ? turns + static_cast<int64_t>(n) : turns)];
    }
  for (size_t k = 0; k < n; ++k) x[k * stride] = y[k];
}

void dft2(bool inverse, size_t ny, size_t nx, Complex* x) {
  for (size_t row = 0; row < ny; ++row) dft(inverse, nx, 1, x + row * nx);
  for (size_t column = 0; column < nx; ++column) dft(inverse, ny, nx, x + column);
}

LarmorCudaStatus fft2(LarmorCudaContext*, int32_t inverse, uint64_t count, uint32_t ny, uint32_t nx, const float* in, float* out) {
  const size_t points = size_t{ny} * nx;
  Image x = load(in, count * points);
  for (size_t i = 0; i < count; ++i) dft2(inverse != 0, ny, nx, x.data() + i * points);
  store(x, out);
  return LARMOR_CUDA_OK;
}

/// One problem of a batch.
struct Problem {
  const LarmorCudaEncoding& e;
  Image maps;  // [set, coil, point]
  const float* mask;
  size_t points;

  Problem(const LarmorCudaEncoding& encoding, size_t index) : e(encoding), points(size_t{encoding.ny} * encoding.nx) {
    maps = load(e.device_maps + index * 2 * e.sets * e.coils * points, e.sets * e.coils * points);
    mask = e.device_mask + index * (e.lines ? e.nx : points);
  }
  size_t image_points() const { return e.sets * points; }
  size_t kspace_points() const { return e.coils * points; }
  double weight(size_t point) const { return mask[e.lines ? point % e.nx : point]; }

  Image forward(const Image& x) const {
    Image y(kspace_points());
    for (size_t coil = 0; coil < e.coils; ++coil) {
      Complex* const plane = y.data() + coil * points;
      for (size_t set = 0; set < e.sets; ++set)
        for (size_t i = 0; i < points; ++i) plane[i] += maps[(set * e.coils + coil) * points + i] * x[set * points + i];
      dft2(false, e.ny, e.nx, plane);
      for (size_t i = 0; i < points; ++i) plane[i] *= weight(i);
    }
    return y;
  }
  Image adjoint(Image y) const {
    Image x(image_points());
    for (size_t coil = 0; coil < e.coils; ++coil) {
      Complex* const plane = y.data() + coil * points;
      for (size_t i = 0; i < points; ++i) plane[i] *= weight(i);
      dft2(true, e.ny, e.nx, plane);
      for (size_t set = 0; set < e.sets; ++set)
        for (size_t i = 0; i < points; ++i) x[set * points + i] += std::conj(maps[(set * e.coils + coil) * points + i]) * plane[i];
    }
    return x;
  }
  Image normal(const Image& x) const { return adjoint(forward(x)); }
};

template <class Apply>
void each_problem(const LarmorCudaEncoding& e, size_t from, size_t to, const float* in, float* out, Apply apply) {
  for (size_t i = 0; i < e.batch; ++i) store(apply(Problem(e, i), load(in + 2 * i * from, from)), out + 2 * i * to);
}

size_t image_points(const LarmorCudaEncoding& e) { return size_t{e.sets} * e.ny * e.nx; }
size_t kspace_points(const LarmorCudaEncoding& e) { return size_t{e.coils} * e.ny * e.nx; }

LarmorCudaStatus encode(LarmorCudaContext*, const LarmorCudaEncoding* e, const float* image, float* kspace) {
  each_problem(*e, image_points(*e), kspace_points(*e), image, kspace, [](const Problem& A, const Image& x) { return A.forward(x); });
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus encode_adjoint(LarmorCudaContext*, const LarmorCudaEncoding* e, const float* kspace, float* image) {
  each_problem(*e, kspace_points(*e), image_points(*e), kspace, image, [](const Problem& A, const Image& y) { return A.adjoint(y); });
  return LARMOR_CUDA_OK;
}

double energy(const Image& x) {
  double sum = 0;
  for (const Complex& value : x) sum += std::norm(value);
  return sum;
}

/// Hestenes and Stiefel's iteration from x; its iterations and relative residual.
std::pair<uint32_t, double> conjugate_gradients(const Problem& A, const LarmorCudaSolve& solve, const Image& b, Image& x) {
  const double lambda = solve.device_weight != nullptr ? *solve.device_weight : solve.regularisation;
  Image r = A.normal(x);
  for (size_t i = 0; i < x.size(); ++i) r[i] = b[i] - r[i] - lambda * x[i];
  Image p = r;
  const double reference = energy(b), goal = double{solve.tolerance} * solve.tolerance * reference;
  double rr = energy(r);
  uint32_t iteration = 0;
  for (; iteration < solve.iterations && rr > goal; ++iteration) {
    Image q = A.normal(p);
    double curvature = 0;
    for (size_t i = 0; i < q.size(); ++i) {
      q[i] += lambda * p[i];
      curvature += (std::conj(p[i]) * q[i]).real();
    }
    if (curvature <= 0) break;
    for (size_t i = 0; i < q.size(); ++i) {
      x[i] += rr / curvature * p[i];
      r[i] -= rr / curvature * q[i];
    }
    const double next = energy(r);
    for (size_t i = 0; i < q.size(); ++i) p[i] = r[i] + next / rr * p[i];
    rr = next;
  }
  return {iteration, reference > 0 ? std::sqrt(rr / reference) : 0};
}

LarmorCudaStatus solve_normal(LarmorCudaContext* context, const LarmorCudaEncoding* e, const LarmorCudaSolve* solve, const float* b, float* x,
                              uint32_t* iterations, float* residuals) {
  const size_t n = image_points(*e);
  const uint64_t scratch = 3 * 8 * n * e->batch;
  if (context->used() + scratch > capacity()) return fail(LARMOR_CUDA_MEMORY, "cudaMalloc " + std::to_string(scratch) + " bytes: out of memory");
  for (size_t i = 0; i < e->batch; ++i) {
    Image solution = solve->from_zero ? Image(n) : load(x + 2 * i * n, n);
    const auto [done, residual] = conjugate_gradients(Problem(*e, i), *solve, load(b + 2 * i * n, n), solution);
    store(solution, x + 2 * i * n);
    if (iterations != nullptr) iterations[i] = done;
    if (residuals != nullptr) residuals[i] = static_cast<float>(residual);
  }
  return LARMOR_CUDA_OK;
}
