// The CUDA plugin's table on host memory, in plain loops and double precision: what the addon and everything above it are tested with where
// there is no GPU. Independent of native/core. Environment variables make it fail:
//   REFERENCE_DEVICES (default 1), REFERENCE_FAULTY (device whose self-test fails), REFERENCE_ABI, REFERENCE_MEMORY (bytes a device has).
#include <atomic>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "cuda/plugin.h"

/// Bytes that the contexts of all devices hold.
static std::atomic<uint64_t> held = 0;

struct LarmorCudaContext {
  int32_t device;
  std::map<void*, uint64_t> memory;
  uint64_t peak = 0;
  uint64_t used() const {
    uint64_t sum = 0;
    for (const auto& [pointer, bytes] : memory) sum += bytes;
    return sum;
  }
};

namespace {

using Complex = std::complex<double>;
using Image = std::vector<Complex>;

thread_local std::string message;

LarmorCudaStatus fail(LarmorCudaStatus status, const std::string& why) {
  message = why;
  return status;
}

int64_t setting(const char* name, int64_t fallback) {
  const char* const text = std::getenv(name);
  return text == nullptr ? fallback : std::atoll(text);
}

int32_t devices() { return static_cast<int32_t>(setting("REFERENCE_DEVICES", 1)); }
uint64_t capacity() { return static_cast<uint64_t>(setting("REFERENCE_MEMORY", int64_t{1} << 40)); }

LarmorCudaStatus device_count(int32_t* count) {
  *count = devices();
  return devices() < 0 ? fail(LARMOR_CUDA_UNAVAILABLE, "reference: no cuFFT") : LARMOR_CUDA_OK;
}

LarmorCudaStatus describe_device(int32_t device, LarmorCudaDevice* description) {
  if (device < 0 || device >= devices()) return fail(LARMOR_CUDA_ARGUMENT, "reference: no such device");
  *description = {};
  std::snprintf(description->name, sizeof description->name, "Reference %d", device);
  description->major = 9;
  description->multiprocessors = 4;
  description->driver_version = 13020;
  description->runtime_version = 13000;
  description->cufft_version = 11303;
  description->memory_total = capacity();
  description->memory_free = capacity() - held;
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus self_test(int32_t device) {
  if (device == setting("REFERENCE_FAULTY", -1)) return fail(LARMOR_CUDA_UNAVAILABLE, "self-test: fft2 is wrong by 1.0");
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus context_create(int32_t device, LarmorCudaContext** context) {
  *context = new LarmorCudaContext{device, {}};
  return LARMOR_CUDA_OK;
}

/// Device memory that was not released is a leak the program must not have.
void context_destroy(LarmorCudaContext* context) {
  for (const auto& [pointer, bytes] : context->memory) {
    std::fprintf(stderr, "reference plugin: %llu bytes leaked\n", static_cast<unsigned long long>(bytes));
    std::abort();
  }
  delete context;
}

void* context_stream(LarmorCudaContext*) { return nullptr; }
LarmorCudaStatus synchronize(LarmorCudaContext*) { return LARMOR_CUDA_OK; }
LarmorCudaStatus trim(LarmorCudaContext*) { return LARMOR_CUDA_OK; }

LarmorCudaStatus memory(LarmorCudaContext* context, LarmorCudaMemory* use) {
  *use = {context->memory.size(), context->used(), 0, context->peak};
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus allocate(LarmorCudaContext* context, uint64_t bytes, void** device_memory) {
  if (context->used() + bytes > capacity()) return fail(LARMOR_CUDA_MEMORY, "cudaMalloc " + std::to_string(bytes) + " bytes: out of memory");
  *device_memory = std::malloc(bytes);
  std::memset(*device_memory, 0xff, bytes);  // NaN: what is read before it is written shows
  context->memory[*device_memory] = bytes;
  held += bytes;
  context->peak = std::max(context->peak, context->used());
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus release(LarmorCudaContext* context, void* device_memory) {
  const auto found = context->memory.find(device_memory);
  if (found == context->memory.end()) std::abort();  // freed twice, or never allocated
  held -= found->second;
  context->memory.erase(found);
  std::free(device_memory);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus copy(LarmorCudaContext*, void* to, const void* from, uint64_t bytes) {
  std::memcpy(to, from, bytes);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus fill_zero(LarmorCudaContext*, void* to, uint64_t bytes) {
  std::memset(to, 0, bytes);
  return LARMOR_CUDA_OK;
}

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

LarmorCudaStatus encode_normal(LarmorCudaContext*, const LarmorCudaEncoding* e, const float* image, float* result) {
  each_problem(*e, image_points(*e), image_points(*e), image, result, [](const Problem& A, const Image& x) { return A.normal(x); });
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

/// Value at pixel i of n, its origin at n / 2, of the trigonometric polynomial that is 1 at sample g of `points`, and 0 at the others.
double dirichlet(size_t g, size_t points, size_t i, size_t n) {
  const double turn = (static_cast<double>(i) - static_cast<double>(n / 2)) / static_cast<double>(n) - static_cast<double>(g) / static_cast<double>(points);
  double sum = 1;
  for (size_t k = 1; k <= points / 2; ++k) sum += 2 * std::cos(2 * M_PI * static_cast<double>(k) * turn);
  return sum / static_cast<double>(points);
}

/// The Hermitian matrix of a pixel, row by row, from packed samples: of the lower triangle re and im, then the diagonal.
Image pixel_matrix(const LarmorCudaEspirit& e, size_t y, size_t x) {
  const size_t coils = e.coils, points = e.points, entries = coils * coils;
  std::vector<double> packed(entries);
  for (size_t gy = 0; gy < points; ++gy)
    for (size_t gx = 0; gx < points; ++gx) {
      const double weight = dirichlet(gy, points, y, e.ny) * dirichlet(gx, points, x, e.nx);
      for (size_t entry = 0; entry < entries; ++entry) packed[entry] += weight * e.device_matrices[(gy * entries + entry) * points + gx];
    }
  Image matrix(entries);
  size_t entry = 0;
  for (size_t c = 0; c < coils; ++c) {
    for (size_t d = 0; d < c; ++d, entry += 2) {
      matrix[c * coils + d] = {packed[entry], packed[entry + 1]};
      matrix[d * coils + c] = std::conj(matrix[c * coils + d]);
    }
    matrix[c * coils + c] = packed[entry++];
  }
  return matrix;
}

/// The leading eigenvectors of a Hermitian matrix, largest first: power iteration to the end, each found one taken out of the matrix.
LarmorCudaStatus espirit_maps(LarmorCudaContext*, const LarmorCudaEspirit* e, float* maps, float* values) {
  const size_t coils = e->coils, points = size_t{e->ny} * e->nx;
  const Image principal = load(e->device_principal, coils);
  for (size_t point = 0; point < points; ++point) {
    Image matrix = pixel_matrix(*e, point / e->nx, point % e->nx);
    for (size_t set = 0; set < e->sets; ++set) {
      Image v(coils), w(coils);
      for (size_t c = 0; c < coils; ++c) v[c] = std::polar(1.0, 2.4 * static_cast<double>(c * c));
      double value = 0;
      for (int iteration = 0; iteration < 300; ++iteration) {
        for (size_t c = 0; c < coils; ++c) {
          w[c] = 0;
          for (size_t d = 0; d < coils; ++d) w[c] += matrix[c * coils + d] * v[d];
        }
        value = std::sqrt(energy(w));
        for (size_t c = 0; c < coils; ++c) v[c] = value > 0 ? w[c] / value : v[c] / std::sqrt(energy(v));
      }
      Complex projection = 0;
      for (size_t c = 0; c < coils; ++c) projection += std::conj(principal[c]) * v[c];
      const Complex phase = std::abs(projection) > 0 ? std::conj(projection) / std::abs(projection) : Complex{1};
      for (size_t c = 0; c < coils; ++c) {
        const Complex map = v[c] * phase;
        float* const to = maps + 2 * ((set * coils + c) * points + point);
        to[0] = static_cast<float>(map.real());
        to[1] = static_cast<float>(map.imag());
        for (size_t d = 0; d < coils; ++d) matrix[c * coils + d] -= value * v[c] * std::conj(v[d]);
      }
      values[set * points + point] = static_cast<float>(value);
    }
  }
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus add_scaled(LarmorCudaContext*, uint64_t count, float factor, const float* values, float* to) {
  for (uint64_t i = 0; i < count; ++i) to[i] += factor * values[i];
  return LARMOR_CUDA_OK;
}

#include "reference_graph.h"

}  // namespace

extern "C" __attribute__((visibility("default"))) const LarmorCudaTable* larmor_cuda_table() {
  static const LarmorCudaTable table = [] {
    LarmorCudaTable t{};
    t.abi = static_cast<uint32_t>(setting("REFERENCE_ABI", LARMOR_CUDA_ABI));
    t.size = sizeof t;
    t.last_error = [] { return message.c_str(); };
    t.device_count = device_count;
    t.describe_device = describe_device;
    t.self_test = self_test;
    t.context_create = context_create;
    t.context_destroy = context_destroy;
    t.context_stream = context_stream;
    t.synchronize = synchronize;
    t.memory = memory;
    t.trim = trim;
    t.allocate = allocate;
    t.release = release;
    t.upload = copy;
    t.download = copy;
    t.copy = copy;
    t.fill_zero = fill_zero;
    t.fft2 = fft2;
    t.encode = encode;
    t.encode_adjoint = encode_adjoint;
    t.encode_normal = encode_normal;
    t.solve_normal = solve_normal;
    t.espirit_maps = espirit_maps;
    t.add_scaled = add_scaled;
    add_graph_functions(t);
    return t;
  }();
  return &table;
}
