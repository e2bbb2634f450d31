// One or more calls of convolutions, pooling, normalisation and their gradients.
import * as op from '#larmor/graph/operations.js';
import type { Value } from '#larmor/graph/types.js';
import { make, type OperatorCase } from './operator-case.js';

const image = [2, 3, 5, 4] as const;
const wide = { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] };
const affine = (scale: Value, bias: Value): { scale: Value; bias: Value } => ({ scale, bias });

export const networkCases: readonly OperatorCase[] = [
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

  make('LayerNormalization', '', [image, [5, 4]], ([x, scale]) => op.layerNormalization(x, scale, 2), {
    differentiable: [],
  }),
  // Larger than WebGPU normalises in one kernel.
  make('InstanceNormLeakyRelu', 'large', [[1, 2, 190, 180]], ([x]) => op.instanceNormLeakyRelu(x, { slope: 0.2 })[0]),
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
];
