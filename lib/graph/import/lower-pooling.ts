// Poolings and reductions of ONNX in terms of the operator table.
import { type Shape, sameShape } from '../../arrays/complex-array.js';
import * as op from '../operations.js';
import type { Value } from '../types.js';
import type { Lowering, OnnxCall } from './call.js';
import { Known } from './known.js';
import { axesOf } from './shape-rules.js';
import { imageOperand, type SlidingWindow, windowCounts, windowOf } from './windows.js';

/** Below every number of an image, for borders that a maximum must not see. */
const LEAST = -3e38;
const MAX_TAPS = 1024; // each pixel of a window may become a node

function poolingWindow(call: OnnxCall, image: Shape): { window: SlidingWindow; counts: number[] } {
  const kernel = call.ints('kernel_shape') ?? call.fail('says no kernel_shape');
  if (kernel.reduce((product, n) => product * n, 1) > MAX_TAPS)
    call.fail(`a window of [${kernel}] pixels; the limit is ${MAX_TAPS} in all`);
  const given = windowOf(call, image, kernel);
  const counts = windowCounts(image, given, call.int('ceil_mode', 0) === 1);
  // Rows and columns that the last windows lack are further pads.
  const pads = given.pads.map((pad, i) => {
    if (i < 2) return pad;
    const axis = i - 2;
    const end = (counts[axis] - 1) * given.strides[axis] + (kernel[axis] - 1) * given.dilations[axis] + 1;
    return Math.max(pad, end - given.pads[axis] - image[axis]);
  });
  return { window: { ...given, pads }, counts };
}

const padded = (x: Value, [top, left, bottom, right]: readonly number[]): Value =>
  op.pad(x, [0, 0, top, left, 0, 0, bottom, right]);

/** The pixel under each tap of the window, as images of the result's size. */
function taps(x: Value, { kernel, strides, dilations }: SlidingWindow, counts: readonly number[]): Value[] {
  return Array.from({ length: kernel[0] * kernel[1] }, (_, i) => {
    const starts = [Math.floor(i / kernel[1]) * dilations[0], (i % kernel[1]) * dilations[1]];
    const ends = starts.map((start, axis) => start + (counts[axis] - 1) * strides[axis] + 1);
    return op.slice(x, { axes: [2, 3], starts, ends, steps: strides });
  });
}

/** A constant image over the padded one: `inside` where the image is, `outside` on its pads. */
function frame(call: OnnxCall, image: Shape, pads: readonly number[], inside: number, outside: number): Value {
  const shape = [1, 1, image[0] + pads[0] + pads[2], image[1] + pads[1] + pads[3]];
  const on = (at: number, axis: number): boolean => at >= pads[axis] && at < pads[axis] + image[axis];
  return call.constant(Known.build(shape, 'float32', ([, , y, x]) => (on(y, 0) && on(x, 1) ? inside : outside)));
}

const averagePool: Lowering = (call) => {
  const x = imageOperand(call);
  const image = x.shape.slice(2);
  const { window, counts } = poolingWindow(call, image);
  const { kernel, strides, pads, dilations } = window;
  const bare = pads.every((n) => n === 0);
  if (bare && sameShape(kernel, strides) && dilations.every((n) => n === 1)) return op.averagePool(x, kernel);
  const sum = taps(padded(x, pads), window, counts).reduce((total, tap) => op.add(total, tap));
  // Pads that were asked for may count; those of a partial last window never do.
  const asked = windowOf(call, image, kernel).pads;
  const counted = call.int('count_include_pad', 0) === 1 ? asked : [0, 0, 0, 0];
  const on = frame(
    call,
    [image[0] + counted[0] + counted[2], image[1] + counted[1] + counted[3]],
    pads.map((n, i) => n - counted[i]),
    1,
    0,
  );
  return op.divide(
    sum,
    taps(on, window, counts).reduce((total, tap) => op.add(total, tap)),
  );
};

/** The first of equal taps takes the gradient, as in PyTorch. */
const maxPool: Lowering = (call) => {
  if (call.node.outputs.length > 1) call.fail('the indices of the maxima are not supported');
  const x = imageOperand(call);
  const { window, counts } = poolingWindow(call, x.shape.slice(2));
  const bare = window.pads.every((n) => n === 0);
  const bordered = bare ? x : op.add(padded(x, window.pads), frame(call, x.shape.slice(2), window.pads, 0, LEAST));
  return taps(bordered, window, counts).reduce((most, tap) => op.where(op.greater(tap, most), tap, most));
};

const reduction =
  (f: (x: Value, options: op.ReduceOptions) => Value): Lowering =>
  (call) => {
    const x = call.value(0);
    const axes = call.list('axes', 1);
    if ((axes === undefined || axes.length === 0) && call.int('noop_with_empty_axes', 0) === 1) return x;
    const keep = call.int('keepdims', 1) === 1;
    const all = x.shape.map((_, i) => i);
    return f(x, { axes: axes && axes.length > 0 ? axesOf(call, axes, x.shape.length) : all, keep });
  };

/** Rules by operator. */
export const POOLING: Readonly<Record<string, Lowering>> = {
  AveragePool: averagePool,
  MaxPool: maxPool,
  GlobalAveragePool: (call) => op.reduceMean(imageOperand(call), { axes: [2, 3], keep: true }),
  ReduceMean: reduction(op.reduceMean),
  ReduceSum: reduction(op.reduceSum),
  ReduceL1: reduction((x, options) => op.reduceSum(op.abs(x), options)),
  ReduceL2: reduction((x, options) => op.sqrt(op.reduceSum(op.multiply(x, x), options))),
  ReduceSumSquare: reduction((x, options) => op.reduceSum(op.multiply(x, x), options)),
};
