// Operators on known numbers, evaluated while the graph is built: what exporters emit to compute shapes and pads.
import type { Shape } from '../../arrays/complex-array.js';
import { ONNX_TYPES, type OnnxType } from '../onnx-model.js';
import { sliceRanges } from '../operators/slicing.js';
import type { Lowering, OnnxCall } from './call.js';
import { broadcastShape, Known } from './known.js';
import { axesOf, concatAxis, resolveShape, sliceAttributes, squeezedShape, unsqueezedShape } from './shape-rules.js';

const isInteger = (type: OnnxType): boolean => type === 'int32' || type === 'int64';

/** f of the elements, with broadcasting; the result is of the type of one operand, the first, unless a type is named. */
const elementwise =
  (f: (...values: number[]) => number, type?: OnnxType, like = 0): Lowering =>
  (call) => {
    const { type: inherited } = call.known(like);
    const operands = call.operands.map((_, i) => call.known(i));
    const shape = operands.reduce<Shape>(
      (sum, { shape: other }) =>
        broadcastShape(sum, other) ?? call.fail(`shapes [${sum}] and [${other}] do not broadcast`),
      [],
    );
    return Known.build(shape, type ?? inherited, (index) => f(...operands.map((operand) => operand.at(index))));
  };

function divide(call: OnnxCall): Known {
  const integer = isInteger(call.known(0).type);
  return elementwise((a, b) => (integer ? Math.trunc(a / b) : a / b))(call) as Known;
}

function cast(call: OnnxCall): Known {
  const { shape, data } = call.known(0);
  const entry = Object.entries(ONNX_TYPES).find(([, number]) => number === call.int('to', 1));
  const type = entry ? (entry[0] as OnnxType) : call.fail('casts to a type that larmor does not know');
  const change = type === 'bool' ? (x: number) => Number(x !== 0) : isInteger(type) ? Math.trunc : (x: number) => x;
  return new Known(shape, type, data.map(change));
}

function constant(call: OnnxCall): Known {
  const { value, value_float, value_floats, value_int, value_ints } = call.node.attributes;
  if (value?.kind === 'tensor') return Known.from(value.value);
  if (value_float?.kind === 'float') return new Known([], 'float32', Float64Array.of(value_float.value));
  if (value_int?.kind === 'int') return new Known([], 'int64', Float64Array.of(value_int.value));
  if (value_floats?.kind === 'floats')
    return new Known([value_floats.value.length], 'float32', Float64Array.from(value_floats.value));
  if (value_ints?.kind === 'ints') return Known.ints(value_ints.value);
  return call.fail('holds no numbers');
}

function constantOfShape(call: OnnxCall): Known {
  const { value } = call.node.attributes;
  const fill = value?.kind === 'tensor' ? Known.from(value.value) : new Known([1], 'float32', Float64Array.of(0));
  return Known.build(call.known(0).list, fill.type, () => fill.data[0]);
}

function gather(call: OnnxCall): Known {
  const [data, indices] = [call.known(0), call.known(1)];
  const [axis] = axesOf(call, [call.int('axis', 0)], data.shape.length);
  const rank = indices.shape.length;
  const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
  return Known.build(shape, data.type, (index) => {
    const chosen = indices.at(index.slice(axis, axis + rank));
    const from = chosen < 0 ? chosen + data.shape[axis] : chosen;
    return data.at([...index.slice(0, axis), from, ...index.slice(axis + rank)]);
  });
}

function concat(call: OnnxCall): Known {
  const parts = call.operands.map((_, i) => call.known(i)).filter(({ data }) => data.length > 0);
  if (parts.length === 0) return call.known(0);
  const axis = concatAxis(call, parts[0].shape.length);
  const total = parts.reduce((sum, { shape }) => sum + shape[axis], 0);
  return Known.build(parts[0].shape.with(axis, total), parts[0].type, (index) => {
    let [at, part] = [index[axis], 0];
    while (at >= parts[part].shape[axis]) at -= parts[part++].shape[axis];
    return parts[part].at(index.with(axis, at));
  });
}

function slice(call: OnnxCall): Known {
  const data = call.known(0);
  const ranges = sliceRanges(data.shape, sliceAttributes(call, data.shape));
  const shape = ranges.reduce<Shape>((sizes, { axis, count }) => sizes.with(axis, count), data.shape);
  return Known.build(shape, data.type, (index) => {
    const source = [...index];
    for (const { axis, start, step } of ranges) source[axis] = start + index[axis] * step;
    return data.at(source);
  });
}

function transpose(call: OnnxCall): Known {
  const data = call.known(0);
  const perm = call.ints('perm') ?? data.shape.map((_, i) => data.shape.length - 1 - i);
  return Known.build(
    perm.map((axis) => data.shape[axis]),
    data.type,
    (index) => data.at(data.shape.map((_, axis) => index[perm.indexOf(axis)])),
  );
}

function expand(call: OnnxCall): Known {
  const [data, { list }] = [call.known(0), call.known(1)];
  const shape = broadcastShape(data.shape, list) ?? call.fail(`[${data.shape}] does not broadcast to [${list}]`);
  return Known.build(shape, data.type, (index) => data.at(index));
}

function range(call: OnnxCall): Known {
  const [start, limit, step] = [0, 1, 2].map((i) => call.known(i).data[0]);
  const length = Math.max(0, Math.ceil((limit - start) / step));
  return Known.build([length], call.known(0).type, ([i]) => start + i * step);
}

/** The product of all numbers: how exporters count elements. */
function product(call: OnnxCall): Known {
  const { data, type, shape } = call.known(0);
  const kept = call.int('keepdims', 1) ? shape.map(() => 1) : [];
  return new Known(kept, type, Float64Array.of(data.reduce((result, n) => result * n, 1)));
}

/** Rules by operator. They apply where every operand is known. */
export const FOLDS: Readonly<Record<string, Lowering>> = {
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: divide,
  Mod: elementwise((a, b) => a - b * Math.floor(a / b)),
  Pow: elementwise((a, b) => a ** b),
  Neg: elementwise((a) => -a),
  Abs: elementwise(Math.abs),
  Sqrt: elementwise(Math.sqrt),
  Floor: elementwise(Math.floor),
  Ceil: elementwise(Math.ceil),
  Min: elementwise(Math.min),
  Max: elementwise(Math.max),
  Equal: elementwise((a, b) => Number(a === b), 'bool'),
  Greater: elementwise((a, b) => Number(a > b), 'bool'),
  Less: elementwise((a, b) => Number(a < b), 'bool'),
  Not: elementwise((a) => Number(a === 0), 'bool'),
  And: elementwise((a, b) => Number(a !== 0 && b !== 0), 'bool'),
  Or: elementwise((a, b) => Number(a !== 0 || b !== 0), 'bool'),
  Where: elementwise((condition, a, b) => (condition !== 0 ? a : b), undefined, 1),
  Cast: cast,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Identity: (call) => call.known(0),
  Gather: gather,
  Concat: concat,
  Slice: slice,
  Transpose: transpose,
  Expand: expand,
  Range: range,
  ReduceProd: product,
  Reshape: (call) => call.known(0).withShape(resolveShape(call, call.known(0).shape)),
  Squeeze: (call) => call.known(0).withShape(squeezedShape(call, call.known(0).shape)),
  Unsqueeze: (call) => call.known(0).withShape(unsqueezedShape(call, call.known(0).shape)),
};
