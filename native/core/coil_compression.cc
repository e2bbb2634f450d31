// Principal coils of every position, and their alignment from the middle of the readout outwards.
#include "core/coil_compression.h"

#include <algorithm>
#include <cmath>

#include "core/coded_error.h"
#include "core/coil_mixing.h"
#include "core/fft.h"
#include "core/hermitian_eigen.h"

namespace larmor {
namespace {

/// a b^H for a [rows, inner] and b [columns, inner].
void multiply_adjoint(size_t rows, size_t columns, size_t inner, const c64* a, const c64* b, c64* out) {
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) {
      c64 sum{0, 0};
      for (size_t k = 0; k < inner; ++k) {
        const c64 p = a[i * inner + k], q = b[j * inner + k];
        sum.re += p.re * q.re + p.im * q.im;
        sum.im += p.im * q.re - p.re * q.im;
      }
      out[i * columns + j] = sum;
    }
}

/// a b for a [rows, inner] and b [inner, columns].
void multiply(size_t rows, size_t columns, size_t inner, const c64* a, const c64* b, c64* out) {
  std::fill(out, out + rows * columns, c64{0, 0});
  for (size_t i = 0; i < rows; ++i)
    for (size_t k = 0; k < inner; ++k) {
      const c64 p = a[i * inner + k];
      for (size_t j = 0; j < columns; ++j) {
        const c64 q = b[k * columns + j];
        out[i * columns + j].re += p.re * q.re - p.im * q.im;
        out[i * columns + j].im += p.re * q.im + p.im * q.re;
      }
    }
}

/// Takes from `vector` what lies along `count` unit rows, twice for accuracy. Its norm afterwards.
double orthogonalise(size_t n, size_t count, const c64* rows, c64* vector) {
  for (int pass = 0; pass < 2; ++pass)
    for (size_t r = 0; r < count; ++r) {
      const c64* const row = rows + r * n;
      c64 dot{0, 0};  // <row, vector>
      for (size_t i = 0; i < n; ++i) {
        dot.re += row[i].re * vector[i].re + row[i].im * vector[i].im;
        dot.im += row[i].re * vector[i].im - row[i].im * vector[i].re;
      }
      for (size_t i = 0; i < n; ++i) {
        vector[i].re -= dot.re * row[i].re - dot.im * row[i].im;
        vector[i].im -= dot.re * row[i].im + dot.im * row[i].re;
      }
    }
  double norm2 = 0;
  for (size_t i = 0; i < n; ++i) norm2 += vector[i].re * vector[i].re + vector[i].im * vector[i].im;
  return std::sqrt(norm2);
}

void divide(size_t n, double norm, c64* vector) {
  for (size_t i = 0; i < n; ++i) vector[i] = {vector[i].re / norm, vector[i].im / norm};
}

/// Rows of `vectors` [n, n] are eigenvectors of the Gram matrix of y, conjugated: row k times y is principal coil k.
struct Principal {
  std::vector<double> values;
  std::vector<c64> rows;
};

Principal principal_coils(size_t n, const c64* gram) {
  const HermitianEigen eigen(Serial{}, n, gram);
  Principal result{eigen.values(), std::vector<c64>(n * n)};
  eigen.vectors(Serial{}, n, result.rows.data());
  for (c64& value : result.rows) value.im = -value.im;
  return result;
}

}  // namespace

void closest_unitary(size_t n, const c64* product, c64* unitary) {
  // product = U S V^H with V from its Gram matrix and U S = product V; then P = U V^H.
  std::vector<c64> adjoint(n * n), gram(n * n), v(n * n), u(n * n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) adjoint[i * n + j] = {product[j * n + i].re, -product[j * n + i].im};
  multiply_adjoint(n, n, n, adjoint.data(), adjoint.data(), gram.data());
  const HermitianEigen eigen(Serial{}, n, gram.data());
  eigen.vectors(Serial{}, n, v.data());  // rows
  const double negligible = 1e-6 * std::sqrt(std::max(0.0, eigen.values()[0]));
  for (size_t k = 0; k < n; ++k) {
    c64* const row = &u[k * n];
    for (size_t i = 0; i < n; ++i) {
      row[i] = {0, 0};
      for (size_t j = 0; j < n; ++j) {
        const c64 p = product[i * n + j], q = v[k * n + j];
        row[i].re += p.re * q.re - p.im * q.im;
        row[i].im += p.re * q.im + p.im * q.re;
      }
    }
    double norm = orthogonalise(n, k, u.data(), row);
    // No direction is left: any that is orthogonal to the others does as well. One of the axes has a part of at least 1 / sqrt(n).
    for (size_t axis = 0; axis < n && !(norm > negligible); ++axis) {
      std::fill(row, row + n, c64{0, 0});
      row[axis] = {1, 0};
      norm = orthogonalise(n, k, u.data(), row);
      if (norm * norm * 2 * static_cast<double>(n) < 1) norm = 0;
    }
    divide(n, norm, row);
  }
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      c64 sum{0, 0};
      for (size_t k = 0; k < n; ++k) {
        const c64 p = u[k * n + i], q = v[k * n + j];
        sum.re += p.re * q.re + p.im * q.im;
        sum.im += p.im * q.re - p.re * q.im;
      }
      unitary[i * n + j] = sum;
    }
}

GeometricCompression geometric_compression(const Parallel& parallel, size_t coils, size_t ny, size_t nx, size_t column, size_t columns,
                                           const c32* y, const GeometricOptions& options) {
  std::vector<c32> hybrid(coils * ny * columns);  // position along the readout, k-space along the phase encode
  for (size_t row = 0; row < coils * ny; ++row) std::copy_n(y + row * nx + column, columns, &hybrid[row * columns]);
  fft_columns(parallel, true, coils, ny, columns, hybrid.data(), hybrid.data());

  std::vector<Principal> positions(ny);
  parallel(ny, [&](size_t position) {
    std::vector<c64> gram(coils * coils);
    const size_t first = position < options.window / 2 ? 0 : position - options.window / 2;
    const size_t last = std::min(ny, position + (options.window + 1) / 2);
    coil_gram(Serial{}, coils, ny, columns, hybrid.data(), {first, last - first, 0, columns}, gram.data());
    positions[position] = principal_coils(coils, gram.data());
  });

  std::vector<double> energy(coils);
  double total = 0;
  for (size_t k = 0; k < coils; ++k) {
    for (const Principal& position : positions) energy[k] += std::max(0.0, position.values[k]);
    total += energy[k];
  }
  if (!(total > 0)) throw CodedError("ERR_CALIBRATION", "geometricCompression: the calibration region holds only zeros");
  GeometricCompression result{options.coils, 0, {}};
  double kept = 0;
  for (size_t k = 0; k < coils; ++k) {
    if (options.coils == 0 ? kept >= options.energy * total : k >= options.coils) break;
    kept += energy[k];
    if (options.coils == 0) result.coils = k + 1;
  }
  result.energy = std::min(1.0, kept / total);

  const size_t v = result.coils;
  std::vector<c64> aligned(v * coils), product(v * v), turn(v * v);
  const auto align = [&](size_t position, size_t neighbour) {
    parallel.poll();
    Principal& mine = positions[position];
    multiply_adjoint(v, v, coils, positions[neighbour].rows.data(), mine.rows.data(), product.data());
    closest_unitary(v, product.data(), turn.data());
    multiply(v, coils, v, turn.data(), mine.rows.data(), aligned.data());
    std::copy(aligned.begin(), aligned.end(), mine.rows.begin());
  };
  for (size_t position = ny / 2 + 1; position < ny; ++position) align(position, position - 1);
  for (size_t position = ny / 2; position-- > 0;) align(position, position + 1);

  result.matrices.resize(ny * v * coils);
  for (size_t position = 0; position < ny; ++position)
    for (size_t i = 0; i < v * coils; ++i) {
      const c64 value = positions[position].rows[i];
      result.matrices[position * v * coils + i] = {static_cast<float>(value.re), static_cast<float>(value.im)};
    }
  return result;
}

}  // namespace larmor
