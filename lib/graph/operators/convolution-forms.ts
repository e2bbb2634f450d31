// Rearrangements of images and kernels that turn convolutions and their gradients into matrix products.
import { type Shape, sameShape } from '../../arrays/complex-array.js';
import { concat, pad, reshape, slice, transpose } from '../operations.js';
import type { Value } from '../types.js';

/** Strides and dilations per axis (y, x); pads top, left, bottom, right. */
export interface Window {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

/** [n,c,y,x] -> [c,n,y,x]. */
const channelsFirst = (x: Value): Value =>
  x.shape[0] === 1 ? reshape(x, [x.shape[1], 1, ...x.shape.slice(2)]) : transpose(x, [1, 0, 2, 3]);

/** [n,c,y,x] -> [c, n y x]. */
export const rows = (x: Value): Value => reshape(channelsFirst(x), [x.shape[1], x.shape[0] * x.shape[2] * x.shape[3]]);

/** The channels of x followed by those of `beside`. */
export const joined = (x: Value, beside: Value | undefined): Value => (beside ? concat([x, beside], 1) : x);

/** Kernels with their channels swapped and both spatial axes reversed. */
export function flip(w: Value): Value {
  const swapped = transpose(w, [1, 0, 2, 3]);
  if (w.shape[2] === 1 && w.shape[3] === 1) return swapped;
  const ends = [Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  return slice(swapped, { axes: [2, 3], starts: [-1, -1], ends, steps: [-1, -1] });
}

/** Patches under disjoint windows as a matrix [c ky kx, n p q], for p x q windows. */
export function tiles(x: Value, [ky, kx]: Shape, [p, q]: Shape): Value {
  const [n, c, height, width] = x.shape;
  const cropped = pad(x, [0, 0, 0, 0, 0, 0, p * ky - height, q * kx - width]);
  const apart = transpose(reshape(cropped, [n, c, p, ky, q, kx]), [1, 3, 5, 0, 2, 4]);
  return reshape(apart, [c * ky * kx, n * p * q]);
}

/** Patches under every tap as a matrix [ky kx c, n p q]. */
export function patches(x: Value, [ky, kx]: Shape, [p, q]: Shape, { strides, pads, dilations }: Window): Value {
  const [n, c] = x.shape;
  const padded = pad(channelsFirst(x), [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]]);
  const taps = Array.from({ length: ky * kx }, (_, i) => {
    const starts = [Math.floor(i / kx) * dilations[0], (i % kx) * dilations[1]];
    const ends = [starts[0] + (p - 1) * strides[0] + 1, starts[1] + (q - 1) * strides[1] + 1];
    const whole = sameShape(starts, [0, 0]) && sameShape(ends, padded.shape.slice(2)) && strides.every((s) => s === 1);
    const tap = whole ? padded : slice(padded, { axes: [2, 3], starts, ends, steps: strides });
    return reshape(tap, [c, n * p * q]);
  });
  return taps.length === 1 ? taps[0] : concat(taps, 0);
}
