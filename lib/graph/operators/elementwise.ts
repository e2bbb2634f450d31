// Elementwise operators with NumPy's broadcasting.
import { type Shape, sameShape } from '../../arrays/complex-array.js';
import { divide, exp, greater, multiply, negate, reduceSum, reshape, sign, subtract, where } from '../operations.js';
import type { GradientCall, InputGradients, Operator, Value } from '../types.js';
import { defineOperator, float32, shapeError } from './define.js';

function broadcast(operator: string, argument: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) shapeError(operator, argument, `a shape that broadcasts with [${a}]`, b);
    return m === 1 ? n : m;
  });
}

/** dL/d(operand) from dL/d(result) of a broadcast: the sum over the repeated axes. */
function unbroadcast(dy: Value, shape: Shape): Value {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && dy.shape[i] !== 1));
  return reshape(reduceSum(dy, { axes }), shape);
}

function binary(name: string, gradient: (a: Value, b: Value, dy: Value) => readonly [Value, Value]): Operator {
  return defineOperator({
    name,
    inputs: ['a', 'b'],
    infer: ([a, b]) => [float32(broadcast(name, 'b', a.shape, b.shape))],
    gradient({ inputs: [a, b], dy }) {
      const [da, db] = gradient(a, b, dy);
      return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
    },
  });
}

function unary(name: string, gradient: (call: GradientCall & { x: Value; y: Value }) => Value | null): Operator {
  return defineOperator({
    name,
    inputs: ['x'],
    infer: ([x]) => [float32(x.shape)],
    gradient: (call): InputGradients => [gradient({ ...call, x: call.inputs[0], y: call.outputs[0] })],
  });
}

export const elementwise: readonly Operator[] = [
  binary('Add', (_a, _b, dy) => [dy, dy]),
  binary('Sub', (_a, _b, dy) => [dy, negate(dy)]),
  binary('Mul', (a, b, dy) => [multiply(dy, b), multiply(dy, a)]),
  // d(a/b) = da / b - (a / b) db / b
  binary('Div', (a, b, dy) => {
    const scaled = divide(dy, b);
    return [scaled, negate(multiply(scaled, divide(a, b)))];
  }),

  unary('Neg', ({ dy }) => negate(dy)),
  // The subgradient 0 at 0, as PyTorch takes it.
  unary('Abs', ({ dy, x }) => multiply(dy, sign(x))),
  unary('Sign', () => null),
  // d sqrt(x) = dx / (2 sqrt(x))
  unary('Sqrt', ({ dy, y }) => divide(multiply(dy, 0.5), y)),
  unary('Exp', ({ dy, y }) => multiply(dy, y)),
  unary('Log', ({ dy, x }) => divide(dy, x)),
  unary('Relu', ({ dy, y }) => where(greater(y, 0), dy, 0)),
  // s' = s (1 - s)
  unary('Sigmoid', ({ dy, y }) => multiply(dy, multiply(y, subtract(1, y)))),
  // erf' = 2 / sqrt(pi) exp(-x^2)
  unary('Erf', ({ dy, x }) => multiply(dy, multiply(exp(negate(multiply(x, x))), 2 / Math.sqrt(Math.PI)))),
  // tanh' = 1 - tanh^2
  unary('Tanh', ({ dy, y }) => multiply(dy, subtract(1, multiply(y, y)))),

  defineOperator({
    name: 'LeakyRelu',
    inputs: ['x'],
    attributes: { alpha: 'float' },
    infer: ([x]) => [float32(x.shape)],
    gradient: ({ inputs: [x], attributes: { alpha }, dy }) => [where(greater(x, 0), dy, multiply(dy, alpha))],
  }),

  defineOperator({
    name: 'Greater',
    inputs: ['a', 'b'],
    infer: ([a, b]) => [{ type: 'bool', shape: broadcast('Greater', 'b', a.shape, b.shape) }],
    gradient: () => [null, null],
  }),

  defineOperator({
    name: 'Where',
    inputs: ['condition:bool', 'a', 'b'],
    infer: ([condition, a, b]) => [
      float32(broadcast('Where', 'condition', broadcast('Where', 'b', a.shape, b.shape), condition.shape)),
    ],
    gradient: ({ inputs: [condition, a, b], dy }) => [
      null,
      unbroadcast(where(condition, dy, 0), a.shape),
      unbroadcast(where(condition, 0, dy), b.shape),
    ],
  }),
];
