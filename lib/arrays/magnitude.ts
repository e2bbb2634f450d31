// Magnitudes of complex arrays.
import { type ComplexArray, type RealArray, realZeros } from './complex-array.js';

/** |z| of every point. */
export function magnitude({ data, shape }: ComplexArray): RealArray {
  const result = realZeros(shape);
  for (let i = 0; i < result.data.length; i += 1) result.data[i] = Math.sqrt(data[2 * i] ** 2 + data[2 * i + 1] ** 2);
  return result;
}

/** Root sum of squares over coils of the images `data`, [coil, point] interleaved re and im: one number per point. */
export function coilMagnitude(data: Float32Array, coils: number): Float32Array {
  const n = data.length / (2 * coils);
  const energy = new Float64Array(n);
  for (let c = 0; c < coils; c += 1)
    for (let i = 0; i < n; i += 1) {
      const at = 2 * (c * n + i);
      energy[i] += data[at] ** 2 + data[at + 1] ** 2;
    }
  return Float32Array.from(energy, Math.sqrt);
}
