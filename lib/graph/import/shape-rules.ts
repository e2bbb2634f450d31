// What ONNX's shape operators ask for, worked out once for known numbers and for values of the graph.
import { points, type Shape } from '../../arrays/complex-array.js';
import { normaliseAxes } from '../operators/define.js';
import type { SliceAttributes } from '../operators/slicing.js';
import type { OnnxCall } from './call.js';

/** `axes` counted from the front. */
export const axesOf = (call: OnnxCall, axes: readonly number[], rank: number): number[] =>
  normaliseAxes(call.node.type, axes, rank);

export const concatAxis = (call: OnnxCall, rank: number): number => axesOf(call, [call.int('axis', 0)], rank)[0];

/** The shape of a Reshape: 0 keeps a length, -1 takes what is left. */
export function resolveShape(call: OnnxCall, shape: Shape): Shape {
  const wanted = call.list('shape', 1) ?? call.fail('says no shape');
  const lengths = wanted.map((n, axis) => (n === 0 && call.int('allowzero', 0) === 0 ? shape[axis] : n));
  const open = lengths.indexOf(-1);
  if (open < 0) return lengths;
  const rest = points(shape) / points(lengths.toSpliced(open, 1));
  if (!Number.isInteger(rest)) call.fail(`[${shape}] cannot take the shape [${wanted}]`);
  return lengths.with(open, rest);
}

export function squeezedShape(call: OnnxCall, shape: Shape): Shape {
  const given = call.list('axes', 1);
  const axes = new Set(given ? axesOf(call, given, shape.length) : shape.flatMap((n, i) => (n === 1 ? [i] : [])));
  if ([...axes].some((axis) => shape[axis] !== 1))
    call.fail(`[${shape}] is longer than 1 on one of the axes ${[...axes]}`);
  return shape.filter((_, axis) => !axes.has(axis));
}

export function unsqueezedShape(call: OnnxCall, shape: Shape): Shape {
  const given = call.list('axes', 1) ?? call.fail('says no axes');
  const axes = new Set(axesOf(call, given, shape.length + given.length));
  const rest = [...shape];
  return Array.from({ length: shape.length + given.length }, (_, axis) =>
    axes.has(axis) ? 1 : (rest.shift() as number),
  );
}

/** Starts, ends, axes and steps of a Slice, ends kept within what int64 holds. */
export function sliceAttributes(call: OnnxCall, shape: Shape): SliceAttributes {
  const starts = call.list('starts', 1) ?? call.fail('says no starts');
  const ends = call.list('ends', 2) ?? call.fail('says no ends');
  const axes = call.list('axes', 3) ?? starts.map((_, i) => i);
  const steps = call.list('steps', 4) ?? starts.map(() => 1);
  const limit = 1 + Math.max(...shape);
  const clamp = (list: readonly number[]): number[] => list.map((n) => Math.min(Math.max(n, -2 * limit), limit));
  return { starts: clamp(starts), ends: clamp(ends), axes: axesOf(call, axes, shape.length), steps };
}
