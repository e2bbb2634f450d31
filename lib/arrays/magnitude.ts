// Magnitudes of complex arrays.
import { type ComplexArray, type RealArray, realZeros } from './complex-array.js';

/** |z| of every point. */
export function magnitude({ data, shape }: ComplexArray): RealArray {
  const result = realZeros(shape);
  for (let i = 0; i < result.data.length; i += 1) result.data[i] = Math.sqrt(data[2 * i] ** 2 + data[2 * i + 1] ** 2);
  return result;
}
