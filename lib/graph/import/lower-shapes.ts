// ONNX operators that move elements, in terms of the operator table.
import type { Shape } from '../../arrays/complex-array.js';
import * as op from '../operations.js';
import { sliceRanges } from '../operators/slicing.js';
import type { Value } from '../types.js';
import type { Lowering, OnnxCall } from './call.js';
import { broadcastShape, Known } from './known.js';
import { axesOf, concatAxis, resolveShape, sliceAttributes, squeezedShape, unsqueezedShape } from './shape-rules.js';

const FLOAT = 1;
const MAX_GATHER = 64; // each index becomes a node

/** Reshape with a rule for the shape. */
const reshapeBy =
  (rule: (call: OnnxCall, shape: Shape) => Shape): Lowering =>
  (call) => {
    const x = call.value(0);
    return op.reshape(x, rule(call, x.shape));
  };

function flattened(call: OnnxCall, shape: Shape): Shape {
  const axis = call.int('axis', 1);
  const split = axis < 0 ? axis + shape.length : axis;
  const count = (part: Shape): number => part.reduce((product, n) => product * n, 1);
  return [count(shape.slice(0, split)), count(shape.slice(split))];
}

/** x repeated along axes of length 1 up to what it broadcasts to with `shape`. */
export function expandTo(x: Value, shape: Shape): Value {
  const lead = Array.from({ length: Math.max(0, shape.length - x.shape.length) }, () => 1);
  const ranked = lead.length > 0 ? op.reshape(x, [...lead, ...x.shape]) : x;
  return op.expand(ranked, shape);
}

function expand(call: OnnxCall): Value {
  const [x, { list }] = [call.value(0), call.known(1)];
  const shape = broadcastShape(x.shape, list) ?? call.fail(`[${x.shape}] does not broadcast to [${list}]`);
  return expandTo(x, shape);
}

function split(call: OnnxCall): readonly Value[] {
  const x = call.value(0);
  const [axis] = axesOf(call, [call.int('axis', 0)], x.shape.length);
  const parts = call.node.outputs.length;
  const even = Math.ceil(x.shape[axis] / parts);
  const sizes =
    call.list('split', 1) ?? Array.from({ length: parts }, (_, i) => Math.min(even, x.shape[axis] - i * even));
  return op.split(x, axis, sizes);
}

function slice(call: OnnxCall): Value {
  const x = call.value(0);
  const attributes = sliceAttributes(call, x.shape);
  const whole = sliceRanges(x.shape, attributes).every(
    ({ n, start, step, count }) => start === 0 && step === 1 && count === n,
  );
  return whole ? x : op.slice(x, attributes);
}

/** Elements at known indices along one axis. */
function gather(call: OnnxCall): Value {
  const [x, indices] = [call.value(0), call.known(1)];
  const [axis] = axesOf(call, [call.int('axis', 0)], x.shape.length);
  if (indices.data.length > MAX_GATHER) call.fail(`takes ${indices.data.length} indices; the limit is ${MAX_GATHER}`);
  const parts = indices.list.map((n) => {
    const start = n < 0 ? n + x.shape[axis] : n;
    return op.slice(x, { axes: [axis], starts: [start], ends: [start + 1] });
  });
  const joined = parts.length === 1 ? parts[0] : op.concat(parts, axis);
  return op.reshape(joined, [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]);
}

/** x with its first and last slices repeated along every axis. */
function padEdge(x: Value, pads: readonly number[]): Value {
  const rank = x.shape.length;
  return x.shape.reduce((image, n, axis) => {
    const border = (at: number, count: number): Value[] => {
      if (count <= 0) return [];
      const edge = op.slice(image, { axes: [axis], starts: [at], ends: [at + 1] });
      return [op.expand(edge, edge.shape.with(axis, count))];
    };
    const parts = [...border(0, pads[axis]), image, ...border(n - 1, pads[axis + rank])];
    return parts.length === 1 ? image : op.concat(parts, axis);
  }, x);
}

function pad(call: OnnxCall): Value {
  const x = call.value(0);
  const rank = x.shape.length;
  const given = call.list('pads', 1) ?? call.fail('says no pads');
  const axes = call.has(3) ? axesOf(call, call.known(3).list, rank) : x.shape.map((_, i) => i);
  const pads = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    [pads[axis], pads[axis + rank]] = [given[i], given[i + axes.length]];
  });
  const mode = call.string('mode', 'constant');
  if (mode === 'edge') return padEdge(x, pads);
  if (mode !== 'constant' && mode !== 'reflect')
    call.fail(`mode "${mode}" is not supported; larmor knows "constant", "reflect" and "edge"`);
  const fill = mode === 'reflect' ? 0 : call.has(2) ? call.known(2).data[0] : call.float('value', 0);
  return fill === 0 ? op.pad(x, pads, mode) : op.add(op.pad(op.subtract(x, fill), pads), fill);
}

/** [n, c b b, y, x] -> [n, c, y b, x b]. */
function depthToSpace(call: OnnxCall): Value {
  const x = call.value(0);
  const [n, depth, height, width] = x.shape;
  const b = call.int('blocksize', 1);
  const c = depth / (b * b);
  const columnsFirst = call.string('mode', 'DCR') === 'CRD';
  const apart = op.reshape(x, columnsFirst ? [n, c, b, b, height, width] : [n, b, b, c, height, width]);
  const together = op.transpose(apart, columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return op.reshape(together, [n, c, height * b, width * b]);
}

/** [n, c, y b, x b] -> [n, b b c, y, x]. */
function spaceToDepth(call: OnnxCall): Value {
  const x = call.value(0);
  const [n, c, height, width] = x.shape;
  const b = call.int('blocksize', 1);
  const apart = op.reshape(x, [n, c, height / b, b, width / b, b]);
  return op.reshape(op.transpose(apart, [0, 3, 5, 1, 2, 4]), [n, b * b * c, height / b, width / b]);
}

/** Numbers keep their type: everything that the graph computes is float32 already. */
function cast(call: OnnxCall): Value {
  const x = call.value(0);
  if (call.int('to', FLOAT) !== FLOAT) call.fail('casts what depends on the image to another type than float32');
  return x.type === 'bool' ? op.where(x, 1, 0) : x;
}

/** Rules by operator. */
export const SHAPES: Readonly<Record<string, Lowering>> = {
  Shape(call) {
    const { shape } = call.operand(0);
    return Known.ints(shape.slice(call.int('start', 0), call.node.attributes.end ? call.int('end', 0) : undefined));
  },
  Size: (call) => new Known([], 'int64', Float64Array.of(call.operand(0).shape.reduce((product, n) => product * n, 1))),
  Identity: (call) => call.operand(0),
  Dropout: (call) => call.operand(0),
  Cast: cast,
  Reshape: reshapeBy(resolveShape),
  Flatten: reshapeBy(flattened),
  Squeeze: reshapeBy(squeezedShape),
  Unsqueeze: reshapeBy(unsqueezedShape),
  Transpose(call) {
    const x = call.value(0);
    return op.transpose(x, call.ints('perm') ?? x.shape.map((_, i) => x.shape.length - 1 - i));
  },
  Expand: expand,
  Concat: (call) => op.concat(call.values(), concatAxis(call, call.value(0).shape.length)),
  Split: split,
  Slice: slice,
  Gather: gather,
  Pad: pad,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
