// One or more calls of every operator of the table, for tests that run over all of them.
import type { GraphBuilder } from '#larmor/graph/builder.js';
import * as op from '#larmor/graph/operations.js';
import * as physics from '#larmor/graph/physics-operations.js';
import type { Value } from '#larmor/graph/types.js';

export interface OperatorCase {
  readonly operator: string;
  readonly what: string;
  /** Shapes of the inputs with random values. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Inputs that have a gradient; default all. */
  readonly differentiable?: readonly string[];
  /** Range of the values; default [-1, 1]. */
  readonly range?: readonly [number, number];
  /** Values of inputs that are not random. */
  readonly given?: Readonly<Record<string, readonly number[]>>;
  apply(inputs: Readonly<Record<string, Value>>, graph: GraphBuilder): readonly Value[];
}

type Build = (values: Value[]) => Value | readonly Value[];

function make(
  operator: string,
  what: string,
  shapes: readonly (readonly number[])[],
  build: Build,
  extra: Partial<OperatorCase> = {},
): OperatorCase {
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, shape]));
  return { operator, what, inputs, apply: (values) => [build(Object.values(values))].flat(), ...extra };
}

const positive = { range: [0.2, 2] } as const;
const square = [3, 4] as const;
const image = [2, 3, 5, 4] as const;
const wide = { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] };
const affine = (scale: Value, bias: Value): { scale: Value; bias: Value } => ({ scale, bias });

/** Masks of two slices of 4x5: every line sampled or not, every point sampled or not. */
const LINES = { mask: [1, 0, 1, 1, 0, 0, 1, 1, 0, 1], heldOutMask: [0, 1, 0, 0, 0, 1, 0, 0, 0, 0] };
const POINTS = {
  mask: Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
  heldOutMask: Array.from({ length: 40 }, (_, i) => (i % 3 === 1 && i % 4 < 2 ? 1 : 0)),
};

function physicsCases(kind: 'lines' | 'points'): OperatorCase[] {
  const given = kind === 'lines' ? LINES : POINTS;
  const mask = kind === 'lines' ? [2, 1, 5] : [2, 4, 5];
  const [picture, coils] = [
    [2, 2, 4, 5],
    [2, 3, 4, 5, 2],
  ];
  const loss = (norm: 'l1' | 'l2'): OperatorCase => ({
    operator: 'DataLoss',
    what: `${norm}, ${kind}`,
    inputs: { image: picture, maps: coils, mask, heldOutMask: mask, kspace: coils },
    differentiable: ['image'],
    given,
    apply: ({ image, maps, mask, heldOutMask, kspace }) => [
      physics.dataLoss(image, { maps, mask, heldOutMask, kspace }, norm).loss,
    ],
  });
  return [
    {
      operator: 'Encode',
      what: kind,
      inputs: { image: picture, maps: coils, mask },
      differentiable: ['image', 'maps'],
      given,
      apply: ({ image, maps, mask }) => [physics.encode(image, maps, mask)],
    },
    {
      operator: 'EncodeAdjoint',
      what: kind,
      inputs: { kspace: coils, maps: coils, mask },
      differentiable: ['kspace', 'maps'],
      given,
      apply: ({ kspace, maps, mask }) => [physics.encodeAdjoint(kspace, maps, mask)],
    },
    {
      operator: 'EncodeNormal',
      what: kind,
      inputs: { image: picture, maps: coils, mask },
      differentiable: ['image', 'maps'],
      given,
      apply: ({ image, maps, mask }) => [physics.encodeNormal(image, maps, mask)],
    },
    {
      operator: 'SampleStep',
      what: kind,
      inputs: { kspace: coils, mask, step: [1], measured: coils, change: coils },
      differentiable: ['kspace', 'step', 'measured', 'change'],
      given,
      apply: ({ kspace, mask, step, measured, change }) => [physics.sampleStep(kspace, mask, step, measured, change)],
    },
    {
      operator: 'SampleStep',
      what: `${kind}, towards zero`,
      inputs: { kspace: coils, mask, step: [1] },
      differentiable: ['kspace', 'step'],
      given,
      apply: ({ kspace, mask, step }) => [physics.sampleStep(kspace, mask, step)],
    },
    {
      operator: 'SampleStepGradient',
      what: kind,
      inputs: { dy: coils, kspace: coils, mask, measured: coils },
      differentiable: [],
      given,
      apply: ({ dy, kspace, mask, measured }) => [physics.sampleStepGradient(dy, kspace, mask, measured)],
    },
    {
      operator: 'EncodeMapsGradient',
      what: kind,
      inputs: { image: picture, kspace: coils, mask },
      differentiable: ['image', 'kspace'],
      given,
      apply: ({ image, kspace, mask }) => [physics.encodeMapsGradient(image, kspace, mask)],
    },
    {
      // enough iterations for the exact solution, whose gradient the operator has
      operator: 'SolveNormal',
      what: kind,
      inputs: { b: picture, maps: coils, mask, weight: [1] },
      differentiable: ['b', 'maps', 'weight'],
      given: { ...given, weight: [0.5] },
      apply: ({ b, maps, mask, weight }) => [physics.solveNormal(b, { maps, mask, weight }, { iterations: 40 })],
    },
    loss('l1'),
    loss('l2'),
  ];
}

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

  make(
    'Conv',
    'in groups',
    [
      [2, 4, 5, 4],
      [6, 2, 3, 1],
    ],
    ([x, w]) => op.conv(x, w, { pads: [1, 0, 1, 0], group: 2 }),
    {
      differentiable: [],
    },
  ),
  make('Conv', '3x3', [image, [4, 3, 3, 3]], ([x, w]) => op.conv(x, w, { pads: [1, 1, 1, 1] })),
  make(
    'Conv',
    '3x3, one image',
    [
      [1, 2, 5, 6],
      [3, 2, 3, 3],
    ],
    ([x, w]) => op.conv(x, w, { pads: [1, 1, 1, 1] }),
  ),
  make('Conv', '3x3, no pads', [image, [4, 3, 3, 3]], ([x, w]) => op.conv(x, w)),
  make('Conv', '1x1 with bias', [image, [4, 3, 1, 1], [4]], ([x, w, bias]) => op.conv(x, w, { bias })),
  make('Conv', '5x3 padded', [image, [2, 3, 5, 3]], ([x, w]) => op.conv(x, w, { pads: [2, 1, 2, 1] })),
  make('Conv', 'pads beyond the kernel', [image, [2, 3, 1, 2]], ([x, w]) => op.conv(x, w, { pads: [1, 0, 1, 2] })),
  make(
    'Conv',
    'strided, dilated',
    [
      [2, 3, 7, 8],
      [2, 3, 3, 2],
    ],
    ([x, w]) => op.conv(x, w, wide),
  ),
  make(
    'Conv',
    'tiles',
    [
      [2, 3, 5, 7],
      [2, 3, 2, 2],
    ],
    ([x, w]) => op.conv(x, w, { strides: [2, 2] }),
  ),
  make('Conv3x3', '', [image, [4, 3, 3, 3]], ([x, w]) => op.conv3x3(x, w)),
  make('Conv3x3', 'transposed', [image, [3, 4, 3, 3]], ([x, w]) => op.conv3x3(x, w, { transposed: true })),
  make('Conv3x3', 'of two images', [image, [4, 5, 3, 3], [2, 2, 5, 4]], ([x, w, beside]) =>
    op.conv3x3(x, w, { beside }),
  ),
  make('Conv3x3', 'in two parts', [image, [4, 3, 3, 3]], ([x, w]) => op.conv3x3Split(x, w, 1)),
  make('Conv3x3', 'transposed, of two images, in two parts', [image, [5, 4, 3, 3], [2, 2, 5, 4]], ([x, w, beside]) =>
    op.conv3x3Split(x, w, 3, { transposed: true, beside }),
  ),
  make('Conv3x3', 'one part used', [image, [4, 3, 3, 3]], ([x, w]) => op.conv3x3Split(x, w, 1)[1]),
  make(
    'Conv3x3WeightGradient',
    'of two images',
    [image, [2, 4, 5, 4], [2, 2, 5, 4]],
    ([x, dy, beside]) => op.conv3x3WeightGradient(x, dy, beside),
    {
      differentiable: [],
    },
  ),
  make('Conv3x3WeightGradient', '', [image, [2, 4, 5, 4]], ([x, dy]) => op.conv3x3WeightGradient(x, dy), {
    differentiable: [],
  }),
  make('Conv1x1WeightGradient', '', [image, [2, 4, 5, 4]], ([x, dy]) => op.conv1x1WeightGradient(x, dy), {
    differentiable: [],
  }),
  make('ConvTranspose', 'doubling', [image, [3, 2, 2, 2]], ([x, w]) => op.convTranspose(x, w, { strides: [2, 2] })),
  make('ConvTranspose', 'any', [image, [3, 2, 3, 2], [2]], ([x, w, bias]) =>
    op.convTranspose(x, w, { bias, strides: [2, 3], pads: [1, 0, 0, 1], dilations: [1, 2], outputPadding: [1, 2] }),
  ),
  make('ConvTranspose2x2', '', [image, [3, 2, 2, 2]], ([x, w]) => op.convTranspose2x2(x, w)),
  make(
    'ConvTranspose2x2InputGradient',
    '',
    [
      [2, 2, 6, 4],
      [3, 2, 2, 2],
    ],
    ([dy, w]) => op.convTranspose2x2InputGradient(dy, w),
    { differentiable: [] },
  ),
  make(
    'ConvTranspose2x2WeightGradient',
    '',
    [image, [2, 2, 10, 8]],
    ([x, dy]) => op.convTranspose2x2WeightGradient(x, dy),
    { differentiable: [] },
  ),
  make('AveragePool2x2Gradient', 'odd size', [[2, 2, 2, 3]], ([dy]) => op.averagePool2x2Gradient(dy, [5, 6]), {
    differentiable: [],
  }),
  make('AveragePool', 'odd size', [[2, 2, 5, 6]], ([x]) => op.averagePool(x)),
  make('AveragePool', '3x2', [[1, 2, 6, 6]], ([x]) => op.averagePool(x, [3, 2])),

  make('Softmax', 'channels', [image], ([x]) => op.softmax(x, 1)),
  make('Softmax', 'last axis', [square], ([x]) => op.softmax(x, -1)),
  make('InstanceNormalization', '', [image, [3], [3]], ([x, scale, bias]) =>
    op.instanceNormalization(x, { affine: affine(scale, bias) }),
  ),
  make('InstanceNormLeakyRelu', 'plain', [image], ([x]) => op.instanceNormLeakyRelu(x, { slope: 0.2 })[0]),
  make(
    'InstanceNormLeakyRelu',
    'affine',
    [image, [3], [3]],
    ([x, scale, bias]) => op.instanceNormLeakyRelu(x, { slope: 0.2, affine: affine(scale, bias) })[0],
  ),
  make(
    'InstanceNormLeakyReluGradient',
    'affine',
    [image, image, [2, 3], [2, 3], [3], [3]],
    ([dy, x, mean, inverse, scale, bias]) =>
      op.instanceNormLeakyReluGradient(dy, x, mean, inverse, { slope: 0.2, affine: affine(scale, bias) }),
    { differentiable: [] },
  ),
  make(
    'InstanceNormLeakyReluGradient',
    'plain',
    [image, image, [2, 3], [2, 3]],
    ([dy, x, mean, inverse]) => op.instanceNormLeakyReluGradient(dy, x, mean, inverse, { slope: 0.2 }),
    { differentiable: [] },
  ),
  make(
    'InstanceNormLeakyReluOutputGradient',
    '',
    [image, image, [2, 3]],
    ([dy, y, inverse]) => op.instanceNormLeakyReluOutputGradient(dy, y, inverse, 0.2),
    { differentiable: [], given: { x2: [0.5, 1, 2, 3, 0.7, 1.5] } }, // no deviation is negative
  ),
  make('Fft2', '', [[2, 3, 4, 5, 2]], ([x]) => physics.fft2(x)),
  make('Fft2', 'inverse', [[2, 1, 5, 3, 2]], ([x]) => physics.fft2(x, { inverse: true })),
  ...physicsCases('lines'),
  ...physicsCases('points'),
];
