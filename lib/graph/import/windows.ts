// Windows that slide over an image: what convolutions and poolings of ONNX share.
import type { Shape } from '../../arrays/complex-array.js';
import type { Value } from '../types.js';
import type { OnnxCall } from './call.js';

/** Sizes of a sliding window, per axis (y, x); pads top, left, bottom, right. */
export interface SlidingWindow {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

const SPATIAL = 2;

/** Whether a list holds `length` whole numbers of at least `least`. */
const isWhole = (list: readonly number[], length: number, least: number): boolean =>
  list.length === length && list.every((n) => Number.isInteger(n) && n >= least);

/** The image operand of a two-dimensional operator. */
export function imageOperand(call: OnnxCall): Value {
  const x = call.value(0);
  if (x.shape.length !== 2 + SPATIAL)
    call.fail(`works on ${x.shape.length - 2} spatial axes; larmor knows two-dimensional images, [n,c,y,x]`);
  return x;
}

/** The window that the attributes of a node describe. */
export function windowOf(call: OnnxCall, image: Shape, kernel: readonly number[]): SlidingWindow {
  const [strides, dilations] = [call.ints('strides') ?? [1, 1], call.ints('dilations') ?? [1, 1]];
  if (![kernel, strides, dilations].every((list) => isWhole(list, SPATIAL, 1)))
    call.fail(
      `kernel [${kernel}], strides [${strides}] and dilations [${dilations}] must be two positive integers each`,
    );
  const automatic = call.string('auto_pad', 'NOTSET');
  if (automatic === 'NOTSET') {
    const pads = call.ints('pads') ?? [0, 0, 0, 0];
    if (!isWhole(pads, 2 * SPATIAL, 0)) call.fail(`pads [${pads}] must be four integers, 0 or more`);
    return { kernel, strides, dilations, pads };
  }
  if (automatic === 'VALID') return { kernel, strides, dilations, pads: [0, 0, 0, 0] };
  // SAME: as many results as strides fit, with the odd pixel at the end (UPPER) or at the start (LOWER).
  const total = image.map((n, i) =>
    Math.max(0, (Math.ceil(n / strides[i]) - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - n),
  );
  const less = total.map((n) => Math.floor(n / 2));
  const more = total.map((n, i) => n - less[i]);
  return { kernel, strides, dilations, pads: automatic === 'SAME_UPPER' ? [...less, ...more] : [...more, ...less] };
}

/** The number of windows along each axis; `ceil` counts a last one that is only partly on the image. */
export function windowCounts(
  image: Shape,
  { kernel, strides, pads, dilations }: SlidingWindow,
  ceil: boolean,
): number[] {
  return image.map((n, i) => {
    const span = n + pads[i] + pads[i + SPATIAL] - (kernel[i] - 1) * dilations[i] - 1;
    const count = Math.floor(span / strides[i]) + 1;
    // A partial window counts only if it begins on the image or on the pads before it.
    return ceil && span % strides[i] !== 0 && count * strides[i] < n + pads[i] ? count + 1 : count;
  });
}
