// Slices of a volume [slice, y, x], and components of a complex array, without copying.
import { type ComplexArray, points, type RealArray } from './complex-array.js';

/** Slices [first, end), a view. */
export function slicesBetween({ data, shape }: RealArray, first: number, end: number): RealArray {
  const [, height, width] = shape;
  const points = height * width;
  return { data: data.subarray(first * points, end * points), shape: [end - first, height, width] };
}

/** One slice [y, x], a view. */
export function sliceAt(volume: RealArray, index: number): RealArray {
  const { data, shape } = slicesBetween(volume, index, index + 1);
  return { data, shape: shape.slice(1) };
}

/** Entry `index` along the first axis of a complex array, a view. */
export function componentAt({ data, shape: [, ...shape] }: ComplexArray, index: number): ComplexArray {
  const floats = 2 * points(shape);
  return { data: data.subarray(index * floats, (index + 1) * floats), shape };
}
