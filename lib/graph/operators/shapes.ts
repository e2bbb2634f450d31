// Operators that move elements without computing: reshape, transpose, expand, concatenate, split, slice, pad.
import { formatShape, points } from '../../arrays/complex-array.js';
import { add, concat, pad, reduceSum, reshape, slice, split, transpose } from '../operations.js';
import type { Operator, Value } from '../types.js';
import { attributeError, defineOperator, float32, normaliseAxes, shapeError } from './define.js';
import { type Range, sliceRanges } from './slicing.js';

function padAxis(x: Value, axis: number, before: number, after: number): Value {
  const pads = new Array<number>(2 * x.shape.length).fill(0);
  pads[axis] = before;
  pads[axis + x.shape.length] = after;
  return pad(x, pads);
}

function sliceAxis(x: Value, axis: number, start: number, end: number): Value {
  return slice(x, { axes: [axis], starts: [start], ends: [end] });
}

/** x with the order of one axis reversed. */
function reverse(x: Value, axis: number): Value {
  return slice(x, { axes: [axis], starts: [-1], ends: [Number.MIN_SAFE_INTEGER], steps: [-1] });
}

/** x with step - 1 zeros after each element of one axis. */
function spread(x: Value, axis: number, step: number): Value {
  if (step === 1) return x;
  const { shape } = x;
  const apart = reshape(x, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
  return reshape(padAxis(apart, axis + 1, 0, step - 1), shape.with(axis, shape[axis] * step));
}

/** dL/dx of a slice along one axis: elements go back to where they came from, zeros elsewhere. */
function unslice(dy: Value, { axis, n, start, step, count }: Range): Value {
  const forward = step < 0 ? reverse(dy, axis) : dy;
  const first = step < 0 ? start + (count - 1) * step : start;
  const stride = Math.abs(step);
  return padAxis(spread(forward, axis, stride), axis, first, n - first - count * stride);
}

/** dL/dx of reflection along one axis: the interior plus the two borders folded back over their edges. */
function unreflect(dy: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return dy;
  const n = dy.shape[axis] - before - after;
  let dx = sliceAxis(dy, axis, before, before + n);
  if (before > 0) dx = add(dx, padAxis(reverse(sliceAxis(dy, axis, 0, before), axis), axis, 1, n - 1 - before));
  if (after > 0)
    dx = add(dx, padAxis(reverse(sliceAxis(dy, axis, before + n, dy.shape[axis]), axis), axis, n - 1 - after, 1));
  return dx;
}

const checkPads = (x: Value, pads: readonly number[], mode: string): void => {
  const rank = x.shape.length;
  if (pads.length !== 2 * rank) attributeError('Pad', 'pads', `${2 * rank} counts for a rank ${rank} input`, pads);
  if (mode !== 'constant' && mode !== 'reflect') attributeError('Pad', 'mode', '"constant" or "reflect"', mode);
  x.shape.forEach((n, axis) => {
    const [before, after] = [pads[axis], pads[axis + rank]];
    if (mode === 'reflect' && (Math.min(before, after) < 0 || Math.max(before, after) >= n))
      attributeError('Pad', 'pads', `counts from 0 to ${n - 1} on axis ${axis} when reflecting`, [before, after]);
    if (n + before + after < 1) attributeError('Pad', 'pads', `counts that leave something of axis ${axis}`, pads);
  });
};

export const shapes: readonly Operator[] = [
  // x, once `event` is there
  defineOperator({
    name: 'After',
    domain: 'larmor',
    inputs: ['x', 'event'],
    infer: ([x]) => [float32(x.shape)],
    gradient: ({ dy }) => [dy, null],
    portable: ([x]) => [x],
  }),

  defineOperator({
    name: 'Reshape',
    inputs: ['x'],
    attributes: { shape: 'tensor' },
    infer([x], { shape }) {
      if (points(shape) !== points(x.shape))
        shapeError('Reshape', 'x', `as many elements as ${formatShape(shape)}`, x.shape);
      return [float32(shape)];
    },
    gradient: ({ inputs: [x], dy }) => [reshape(dy, x.shape)],
  }),

  defineOperator({
    name: 'Transpose',
    inputs: ['x'],
    attributes: { perm: 'ints' },
    infer([x], { perm }) {
      if (perm.length !== x.shape.length)
        attributeError('Transpose', 'perm', `a permutation of ${x.shape.length} axes`, perm);
      return [float32(normaliseAxes('Transpose', perm, x.shape.length).map((axis) => x.shape[axis]))];
    },
    gradient({ attributes: { perm }, dy }) {
      return [
        transpose(
          dy,
          perm.map((_, i) => perm.indexOf(i)),
        ),
      ];
    },
  }),

  defineOperator({
    name: 'Expand',
    inputs: ['x'],
    attributes: { shape: 'tensor' },
    infer([x], { shape }) {
      if (x.shape.length !== shape.length || x.shape.some((n, i) => n !== 1 && n !== shape[i]))
        shapeError('Expand', 'x', `${formatShape(shape)} with 1 on the axes to repeat`, x.shape);
      return [float32(shape)];
    },
    gradient({ inputs: [x], attributes: { shape }, dy }) {
      const axes = shape.map((_, i) => i).filter((i) => x.shape[i] !== shape[i]);
      return [axes.length === 0 ? dy : reduceSum(dy, { axes, keep: true })];
    },
  }),

  defineOperator({
    name: 'Concat',
    inputs: ['part', '...'],
    attributes: { axis: 'int' },
    infer(parts, { axis }) {
      const [along] = normaliseAxes('Concat', [axis], parts[0].shape.length);
      const total = parts.reduce((sum, part) => sum + (part.shape[along] ?? 0), 0);
      const want = parts[0].shape.with(along, total);
      parts.forEach((part, i) => {
        if (part.shape.length !== want.length || part.shape.some((n, j) => j !== along && n !== want[j]))
          shapeError('Concat', `part ${i}`, `shape ${formatShape(parts[0].shape)} except on axis ${along}`, part.shape);
      });
      return [float32(want)];
    },
    gradient: ({ inputs, attributes: { axis }, dy }) =>
      split(
        dy,
        axis,
        inputs.map((part) => part.shape.at(axis) as number),
      ),
  }),

  defineOperator({
    name: 'Split',
    inputs: ['x'],
    attributes: { axis: 'int', split: 'tensor' },
    infer([x], { axis, split: sizes }) {
      const [along] = normaliseAxes('Split', [axis], x.shape.length);
      if (sizes.reduce((sum, n) => sum + n, 0) !== x.shape[along])
        attributeError('Split', 'split', `sizes that add up to ${x.shape[along]}`, sizes);
      return sizes.map((n) => float32(x.shape.with(along, n)));
    },
    gradient({ outputs, attributes: { axis }, upstream }) {
      const zeros = ({ graph, shape }: Value): Value => graph.constant(new Float32Array(points(shape)), shape);
      return [
        concat(
          upstream.map((dy, i) => dy ?? zeros(outputs[i])),
          axis,
        ),
      ];
    },
  }),

  defineOperator({
    name: 'Slice',
    inputs: ['x'],
    attributes: { starts: 'tensor', ends: 'tensor', axes: 'tensor', steps: 'tensor' },
    infer([x], attributes) {
      const shape = [...x.shape];
      for (const { axis, count } of sliceRanges(x.shape, attributes)) shape[axis] = count;
      if (points(shape) === 0)
        attributeError('Slice', 'starts and ends', `ranges that leave something of [${x.shape}]`, attributes);
      return [float32(shape)];
    },
    gradient: ({ inputs: [x], attributes, dy }) => [sliceRanges(x.shape, attributes).reduce(unslice, dy)],
  }),

  defineOperator({
    name: 'Pad',
    inputs: ['x'],
    attributes: { mode: 'string', pads: 'tensor' },
    infer([x], { mode, pads }) {
      checkPads(x, pads, mode);
      return [float32(x.shape.map((n, i) => n + pads[i] + pads[i + x.shape.length]))];
    },
    gradient({ inputs: [x], attributes: { mode, pads }, dy }) {
      // Padding with zeros and cropping are each other's transpose.
      if (mode === 'constant')
        return [
          pad(
            dy,
            pads.map((count) => -count),
          ),
        ];
      return [x.shape.reduce((d, _, axis) => unreflect(d, axis, pads[axis], pads[axis + x.shape.length]), dy)];
    },
  }),
];
