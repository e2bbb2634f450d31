// Between complex images as the physics has them (interleaved re, im) and as networks have them (two real planes).
import { LarmorError } from '../errors.js';
import { type ComplexArray, complexZeros, formatShape, points } from './complex-array.js';

/**
 * Writes a complex image into two planes: all real parts, then all imaginary parts.
 *
 * Shapes: image [y, x] (any shape with n points); planes 2 n floats.
 *
 * @throws LarmorError `ERR_SHAPE` when `planes` does not hold 2 n floats.
 */
export function toPlanes(image: ComplexArray, planes: Float32Array, factor = 1): void {
  const n = points(image.shape);
  expectPlanes('toPlanes', planes, n, image.shape);
  for (let i = 0; i < n; i += 1) {
    planes[i] = factor * image.data[2 * i];
    planes[n + i] = factor * image.data[2 * i + 1];
  }
}

/**
 * The complex image [y, x] held in two planes, multiplied by `factor`.
 *
 * @throws LarmorError `ERR_SHAPE` when `planes` does not hold twice the points of `shape`.
 */
export function fromPlanes(planes: Float32Array, shape: readonly number[], factor = 1): ComplexArray {
  const n = points(shape);
  expectPlanes('fromPlanes', planes, n, shape);
  const image = complexZeros(shape);
  for (let i = 0; i < n; i += 1) {
    image.data[2 * i] = factor * planes[i];
    image.data[2 * i + 1] = factor * planes[n + i];
  }
  return image;
}

function expectPlanes(who: string, planes: Float32Array, n: number, shape: readonly number[]): void {
  if (planes.length !== 2 * n)
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: planes of an image ${formatShape(shape)} must hold ${2 * n} floats, got ${planes.length}`,
    );
}
