// Elementwise operators and activations of ONNX in terms of the operator table.
import * as op from '../operations.js';
import type { Value } from '../types.js';
import type { Lowering, OnnxCall } from './call.js';
import { Known } from './known.js';

/** A value, or a plain number where the operand is a known one: it becomes a shared constant. */
const operand = (call: OnnxCall, index: number): op.Operand => {
  const x = call.operand(index);
  return x instanceof Known && x.shape.length === 0 ? x.data[0] : call.value(index);
};

const unary =
  (f: (x: Value) => Value): Lowering =>
  (call) =>
    f(call.value(0));

const binary =
  (f: (a: op.Operand, b: op.Operand) => Value): Lowering =>
  (call) => {
    const [a, b] = [operand(call, 0), operand(call, 1)];
    return typeof a === 'number' && typeof b === 'number' ? f(call.value(0), b) : f(a, b);
  };

const variadic =
  (f: (a: Value, b: Value) => Value): Lowering =>
  (call) =>
    call.values().reduce(f);

const larger = (a: Value, b: op.Operand): Value => op.where(op.greater(a, b), a, b);
const smaller = (a: Value, b: op.Operand): Value => op.where(op.greater(a, b), b, a);

/** x within [low, high]; the gradient is 0 outside and at the bounds, as that of ReLU6. */
function clip(x: Value, low: number, high: number): Value {
  const bounded = low > -Infinity ? larger(x, low) : x;
  return high < Infinity ? smaller(bounded, high) : bounded;
}

function bounds(call: OnnxCall): [number, number] {
  const bound = (name: string, index: number, open: number): number =>
    call.has(index) ? call.known(index).data[0] : call.float(name, open);
  const [low, high] = [bound('min', 1, -Infinity), bound('max', 2, Infinity)];
  // Exporters write the largest float where there is no bound.
  return [low < -3.4e38 ? -Infinity : low, high > 3.4e38 ? Infinity : high];
}

/** x raised to a number: products for small whole ones, roots, else exp(p log x), which needs x > 0. */
function power(x: Value, exponent: number): Value {
  if (exponent < 0) return op.divide(1, power(x, -exponent));
  if (exponent === 0.5) return op.sqrt(x);
  if (exponent === 1.5) return op.multiply(x, op.sqrt(x));
  if (exponent === 0) return op.add(op.multiply(x, 0), 1);
  if (Number.isInteger(exponent) && exponent <= 8)
    return Array.from({ length: exponent }, () => x).reduce((product, factor) => op.multiply(product, factor));
  return op.exp(op.multiply(op.log(x), exponent));
}

function pow(call: OnnxCall): Value {
  const exponent = call.known(1);
  if (exponent.data.length !== 1) call.fail('its exponent must be one number');
  return power(call.value(0), exponent.data[0]);
}

/** log(1 + e^x), which is x to the last bit of a float beyond 20. */
function softplus(x: Value): Value {
  const end = 20;
  return op.add(op.log(op.add(op.exp(smaller(x, end)), 1)), op.relu(op.subtract(x, end)));
}

/** scale (e^x - 1) below 0, x above. */
const elu = (x: Value, scale: number): Value =>
  op.where(op.greater(x, 0), x, op.multiply(op.subtract(op.exp(smaller(x, 0)), 1), scale));

function gelu(call: OnnxCall): Value {
  const x = call.value(0);
  const half = op.multiply(x, 0.5);
  if (call.string('approximate', 'none') === 'none')
    return op.multiply(half, op.add(op.erf(op.multiply(x, Math.SQRT1_2)), 1));
  const inner = op.multiply(op.add(x, op.multiply(power(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
  return op.multiply(half, op.add(op.tanh(inner), 1));
}

const hardSigmoid = (x: Value, alpha: number, beta: number): Value => clip(op.add(op.multiply(x, alpha), beta), 0, 1);

/** The slope is one number per channel, or one for all. */
function prelu(call: OnnxCall): Value {
  const [x, slope] = [call.value(0), call.value(1)];
  return op.where(op.greater(x, 0), x, op.multiply(slope, x));
}

/** Rules by operator. */
export const ELEMENTWISE: Readonly<Record<string, Lowering>> = {
  Add: binary(op.add),
  Sub: binary(op.subtract),
  Mul: binary(op.multiply),
  Div: binary(op.divide),
  Sum: variadic(op.add),
  Max: variadic(larger),
  Min: variadic(smaller),
  Greater: binary(op.greater),
  Less: (call) => op.greater(call.value(1), call.value(0)),
  Where: (call) => op.where(call.value(0), operand(call, 1), operand(call, 2)),
  Pow: pow,
  Neg: unary(op.negate),
  Abs: unary(op.abs),
  Sign: unary(op.sign),
  Sqrt: unary(op.sqrt),
  Exp: unary(op.exp),
  Log: unary(op.log),
  Erf: unary(op.erf),
  Reciprocal: unary((x) => op.divide(1, x)),
  Relu: unary(op.relu),
  LeakyRelu: (call) => op.leakyRelu(call.value(0), call.float('alpha', 0.01)),
  PRelu: prelu,
  Sigmoid: unary(op.sigmoid),
  Tanh: unary(op.tanh),
  Softplus: unary(softplus),
  Elu: (call) => elu(call.value(0), call.float('alpha', 1)),
  Selu: (call) => op.multiply(elu(call.value(0), call.float('alpha', 1.67326319)), call.float('gamma', 1.05070102)),
  Mish: unary((x) => op.multiply(x, op.tanh(softplus(x)))),
  Gelu: gelu,
  HardSigmoid: (call) => hardSigmoid(call.value(0), call.float('alpha', 0.2), call.float('beta', 0.5)),
  HardSwish: unary((x) => op.multiply(x, hardSigmoid(x, 1 / 6, 0.5))),
  Clip: (call) => clip(call.value(0), ...bounds(call)),
};
