// One or more calls of every operator of the table, for tests that run over all of them.
import * as op from '#larmor/graph/operations.js';
import * as physics from '#larmor/graph/physics-operations.js';
import { networkCases } from './network-cases.js';
import { make, type OperatorCase } from './operator-case.js';
import { physicsCases } from './physics-cases.js';

const positive = { range: [0.2, 2] } as const;
const square = [3, 4] as const;
const image = [2, 3, 5, 4] as const;

export const operatorCases: readonly OperatorCase[] = [
  make(
    'Add',
    'broadcast',
    [
      [2, 1, 4],
      [3, 1],
    ],
    ([a, b]) => op.add(a, b),
  ),
  make('Sub', 'broadcast', [[4], [2, 3, 1]], ([a, b]) => op.subtract(a, b)),
  make('Mul', 'broadcast', [square, [1, 4]], ([a, b]) => op.multiply(a, b)),
  make('Mul', 'number', [square], ([a]) => op.multiply(2.5, a)),
  make('Div', 'broadcast', [square, [4]], ([a, b]) => op.divide(a, b), positive),
  make('Neg', '', [square], ([x]) => op.negate(x)),
  make('Abs', '', [square], ([x]) => op.abs(x)),
  make('Sign', '', [square], ([x]) => op.multiply(op.sign(x), x)),
  make('Sqrt', '', [square], ([x]) => op.sqrt(x), positive),
  make('Exp', '', [square], ([x]) => op.exp(x)),
  make('Log', '', [square], ([x]) => op.log(x), positive),
  make('Relu', '', [square], ([x]) => op.relu(x)),
  make('LeakyRelu', '', [square], ([x]) => op.leakyRelu(x, 0.2)),
  make('Sigmoid', '', [square], ([x]) => op.sigmoid(x)),
  make('Tanh', '', [square], ([x]) => op.tanh(x)),
  make('Erf', '', [square], ([x]) => op.erf(x)),
  make('Greater', '', [square, [4]], ([a, b]) => op.where(op.greater(a, b), a, op.multiply(b, 3))),
  make('Where', 'broadcast', [square, [3, 1], [1, 4]], ([a, b, c]) => op.where(op.greater(a, 0), b, c), {
    differentiable: ['x1', 'x2'],
  }),

  make('ReduceSum', 'middle axes', [image], ([x]) => op.reduceSum(x, { axes: [1, -1] })),
  make('ReduceSum', 'all, kept', [image], ([x]) => op.reduceSum(x, { keep: true })),
  // More terms than WebGPU is given in one step.
  make('ReduceSum', 'of many terms', [[2, 3, 50, 90]], ([x]) => op.reduceSum(x, { axes: [2, 3] }), positive),
  make(
    'ReduceMean',
    'of many terms, over the first axis too',
    [[2, 3, 50, 90]],
    ([x]) => op.reduceMean(x, { axes: [0, -1, -2], keep: true }),
    positive,
  ),
  make(
    'Gemm',
    'of long rows',
    [
      [3, 1024],
      [5, 1024],
    ],
    ([a, b]) => op.gemm(a, b, { transposeB: true }),
    positive,
  ),
  make('ReduceMean', 'pixels', [image], ([x]) => op.reduceMean(x, { axes: [2, 3], keep: true })),
  make('ReduceMean', 'all', [square], ([x]) => op.reduceMean(x)),

  make('After', '', [image, [2]], ([x, event]) => op.after(x, event), { differentiable: ['x0'] }),
  make('Reshape', '', [square], ([x]) => op.reshape(x, [2, 6])),
  make('Transpose', '', [image], ([x]) => op.transpose(x, [2, 0, 3, 1])),
  make('Expand', '', [[2, 1, 3]], ([x]) => op.expand(x, [2, 4, 3])),
  make(
    'Concat',
    'three parts',
    [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    (parts) => op.concat(parts, 1),
  ),
  make('Concat', 'last axis', [square, square], (parts) => op.concat(parts, -1)),
  make('Split', '', [[2, 6]], ([x]) => op.split(x, 1, [1, 3, 2])),
  make('Split', 'one part used', [[2, 6]], ([x]) => op.split(x, -1, [1, 3, 2])[1]),
  make('Slice', 'steps', [[7, 9]], ([x]) =>
    op.slice(x, { axes: [1, 0], starts: [1, -3], ends: [100, -1], steps: [3, 1] }),
  ),
  make('Slice', 'backwards', [[7, 9]], ([x]) =>
    op.slice(x, { axes: [0, 1], starts: [-1, 7], ends: [-100, 0], steps: [-1, -3] }),
  ),
  make('Pad', 'zeros and crop', [image], ([x]) => op.pad(x, [0, 0, 2, -1, 0, 1, -1, 3])),
  make('Pad', 'reflect', [image], ([x]) => op.pad(x, [0, 0, 0, 0, 0, 0, 1, 1], 'reflect')),
  make('Pad', 'reflect, both ends', [image], ([x]) => op.pad(x, [0, 0, 4, 1, 0, 0, 2, 3], 'reflect')),

  make(
    'MatMul',
    'batch',
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    ([a, b]) => op.matmul(a, b),
  ),
  make(
    'Gemm',
    '',
    [
      [3, 4],
      [4, 5],
    ],
    ([a, b]) => op.gemm(a, b),
  ),
  make(
    'Gemm',
    'first transposed',
    [
      [4, 3],
      [4, 5],
    ],
    ([a, b]) => op.gemm(a, b, { transposeA: true }),
  ),
  make(
    'Gemm',
    'second transposed',
    [
      [3, 4],
      [5, 4],
    ],
    ([a, b]) => op.gemm(a, b, { transposeB: true }),
  ),
  make(
    'Gemm',
    'both transposed',
    [
      [4, 3],
      [5, 4],
    ],
    ([a, b]) => op.gemm(a, b, { transposeA: true, transposeB: true }),
  ),

  make('Softmax', 'channels', [image], ([x]) => op.softmax(x, 1)),
  make('Softmax', 'last axis', [square], ([x]) => op.softmax(x, -1)),
  ...networkCases,
  make('Fft2', '', [[2, 3, 4, 5, 2]], ([x]) => physics.fft2(x)),
  make('Fft2', 'inverse', [[2, 1, 5, 3, 2]], ([x]) => physics.fft2(x, { inverse: true })),
  // Lengths with factors, even and odd, and without.
  make('Fft2', 'long', [[1, 1, 132, 135, 2]], ([x]) => physics.fft2(x)),
  make('Fft2', 'long, inverse', [[1, 1, 131, 150, 2]], ([x]) => physics.fft2(x, { inverse: true })),
  ...physicsCases('lines'),
  ...physicsCases('points'),
];
