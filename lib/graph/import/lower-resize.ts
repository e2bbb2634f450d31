// Resampling of images: ONNX's Resize and Upsample as repetition where that is all they do, else as matrix products.
import * as op from '../operations.js';
import type { Value } from '../types.js';
import type { Lowering, OnnxCall } from './call.js';
import { Known } from './known.js';
import { axesOf } from './shape-rules.js';
import { imageOperand } from './windows.js';

interface Axis {
  readonly from: number;
  readonly to: number;
  /** Pixels of the result per pixel of the image. */
  readonly scale: number;
}

const MAX_SIDE = 2 ** 15;

type Taps = readonly (readonly [index: number, weight: number])[];

/** The position in the image that pixel i of the result looks at. */
function position(call: OnnxCall, i: number, { from, to, scale }: Axis): number {
  const mode = call.string('coordinate_transformation_mode', call.node.type === 'Resize' ? 'half_pixel' : 'asymmetric');
  switch (mode) {
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return to > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case 'half_pixel_symmetric':
      return (from / 2) * (1 - to / (scale * from)) + (i + 0.5) / scale - 0.5;
    case 'align_corners':
      return to > 1 ? (i * (from - 1)) / (to - 1) : 0;
    case 'asymmetric':
      return i / scale;
    default:
      return call.fail(`coordinate_transformation_mode "${mode}" is not supported`);
  }
}

const NEAREST: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const clamp = (index: number, length: number): number => Math.min(Math.max(index, 0), length - 1);

function nearestTaps(call: OnnxCall, i: number, axis: Axis): Taps {
  const mode = call.string('nearest_mode', call.node.type === 'Resize' ? 'round_prefer_floor' : 'floor');
  const round = NEAREST[mode] ?? call.fail(`nearest_mode "${mode}" is not supported`);
  return [[clamp(round(position(call, i, axis)), axis.from), 1]];
}

function linearTaps(call: OnnxCall, i: number, axis: Axis): Taps {
  const x = clamp(position(call, i, axis), axis.from);
  const low = Math.floor(x);
  return [
    [low, 1 - (x - low)],
    [clamp(low + 1, axis.from), x - low],
  ];
}

/** Keys' cubic kernel. */
function cubicTaps(call: OnnxCall, i: number, axis: Axis): Taps {
  const a = call.float('cubic_coeff_a', -0.75);
  const weight = (d: number): number =>
    d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  const x = position(call, i, axis);
  const taps = [-1, 0, 1, 2].map((k) => [Math.floor(x) + k, weight(Math.abs(x - Math.floor(x) - k))] as const);
  if (call.int('exclude_outside', 0) === 0) return taps.map(([index, w]) => [clamp(index, axis.from), w]);
  const inside = taps.filter(([index]) => index === clamp(index, axis.from));
  const sum = inside.reduce((total, [, w]) => total + w, 0);
  return inside.map(([index, w]) => [index, w / sum]);
}

const KERNELS = { nearest: nearestTaps, linear: linearTaps, cubic: cubicTaps } as const;

/** The spatial axes, from scales or sizes, for all axes or those that `axes` names. */
function axesOfResult(call: OnnxCall, x: Value): Axis[] {
  const rank = x.shape.length;
  const named = call.ints('axes');
  const chosen = named ? axesOf(call, named, rank) : x.shape.map((_, i) => i);
  const filled = (index: number, fallback: (axis: number) => number): number[] | undefined => {
    const list = call.has(index) ? call.known(index).list : [];
    return list.length === 0 ? undefined : x.shape.map((_, axis) => list[chosen.indexOf(axis)] ?? fallback(axis));
  };
  const oldForm = call.node.type === 'Upsample' || call.opset < 11;
  const scales = filled(oldForm ? 1 : 2, () => 1);
  const sizes = oldForm ? undefined : filled(3, (axis) => x.shape[axis]);
  if (!scales && !sizes) call.fail('says neither scales nor sizes');
  const axes = x.shape.map((from, axis): Axis => {
    const to = sizes ? sizes[axis] : Math.floor(from * (scales as number[])[axis]);
    return { from, to, scale: scales ? scales[axis] : to / from };
  });
  if (axes.slice(0, 2).some(({ from, to }) => from !== to)) call.fail('resizes the batch or the channels');
  if (!axes.every(({ from, to }) => to >= 1 && Math.max(from, to) <= MAX_SIDE))
    call.fail(`resizes [${x.shape}] to [${axes.map(({ to }) => to)}]; sides go from 1 to ${MAX_SIDE}`);
  return axes.slice(2);
}

/** Times each pixel repeats, where the taps only repeat pixels in their order; else undefined. */
function repetition(taps: readonly Taps[], { from, to }: Axis): number | undefined {
  const times = to / from;
  const repeats = taps.every((list, i) => list[0][1] === 1 && list[0][0] === Math.floor(i / times));
  return Number.isInteger(times) && repeats ? times : undefined;
}

/** The last axis of x [rows, from] times the interpolation, [rows, to]. */
function interpolate(call: OnnxCall, rows: Value, taps: readonly Taps[], { from, to }: Axis): Value {
  const matrix = new Float64Array(from * to);
  taps.forEach((list, i) => {
    for (const [index, weight] of list) matrix[index * to + i] += weight;
  });
  return op.gemm(rows, call.constant(new Known([from, to], 'float32', matrix)));
}

const resize: Lowering = (call) => {
  call.expect('antialias', 0);
  call.expect('keep_aspect_ratio_policy', 'stretch');
  const x = imageOperand(call);
  const mode = call.string('mode', 'nearest');
  const kernel = KERNELS[mode as keyof typeof KERNELS] ?? call.fail(`mode "${mode}" is not supported`);
  const axes = axesOfResult(call, x);
  const taps = axes.map((axis) =>
    Array.from({ length: axis.to }, (_, i) => (mode === 'nearest' ? nearestTaps : kernel)(call, i, axis)),
  );
  const [n, c] = x.shape;
  const [rows, columns] = axes;
  const times = mode === 'nearest' ? taps.map((list, i) => repetition(list, axes[i])) : [];
  const [ty, tx] = times;
  if (ty !== undefined && tx !== undefined) {
    const apart = op.reshape(x, [n * c * rows.from, 1, columns.from, 1]);
    return op.reshape(op.expand(apart, [n * c * rows.from, ty, columns.from, tx]), [n, c, rows.to, columns.to]);
  }
  const wide = interpolate(call, op.reshape(x, [n * c * rows.from, columns.from]), taps[1], columns);
  const turned = op.transpose(op.reshape(wide, [n * c, rows.from, columns.to]), [0, 2, 1]);
  const tall = interpolate(call, op.reshape(turned, [n * c * columns.to, rows.from]), taps[0], rows);
  const back = op.transpose(op.reshape(tall, [n * c, columns.to, rows.to]), [0, 2, 1]);
  return op.reshape(back, [n, c, rows.to, columns.to]);
};

/** Rules by operator. */
export const RESIZE: Readonly<Record<string, Lowering>> = { Resize: resize, Upsample: resize };
