// What the builder rejects, and how it says so.
import { expect, test } from 'vitest';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import * as op from '#larmor/graph/operations.js';
import * as physics from '#larmor/graph/physics-operations.js';
import type { Value } from '#larmor/graph/types.js';

const input = (...shape: number[]): Value => new GraphBuilder().input('x', shape);

/** A graph with an input per shape: x0, x1, ... */
function inputs(...shapes: number[][]): Value[] {
  const graph = new GraphBuilder();
  return shapes.map((shape, i) => graph.input(`x${i}`, shape));
}

const wrongShapes: [string, RegExp, () => unknown][] = [
  [
    'broadcast',
    /Add: b must have a shape that broadcasts with \[2,3\], got \[2\]/,
    () => {
      const [a, b] = inputs([2, 3], [2]);
      return op.add(a, b);
    },
  ],
  ['Reshape', /Reshape: x must have as many elements as \[7\], got \[2,3\]/, () => op.reshape(input(2, 3), [7])],
  [
    'Concat',
    /Concat: part 1 must have shape \[2,3\] except on axis 1, got \[3,3\]/,
    () => op.concat(inputs([2, 3], [3, 3]), 1),
  ],
  [
    'Gemm',
    /Gemm: b must have 3 rows, got \[2,3\]/,
    () => {
      const [a, b] = inputs([2, 3], [2, 3]);
      return op.gemm(a, b);
    },
  ],
  [
    'MatMul',
    /MatMul: b must have shape \[2,4,any\], got \[2,3,5\]/,
    () => {
      const [a, b] = inputs([2, 3, 4], [2, 3, 5]);
      return op.matmul(a, b);
    },
  ],
  [
    'Conv channels',
    /Conv: w must have shape \[any,3,any,any\], got \[4,2,3,3\]/,
    () => {
      const [x, w] = inputs([1, 3, 8, 8], [4, 2, 3, 3]);
      return op.conv(x, w);
    },
  ],
  [
    'Conv size',
    /Conv: x must have at least 3 pixels on axis 3, got \[1,3,8,2\]/,
    () => {
      const [x, w] = inputs([1, 3, 8, 2], [4, 3, 3, 3]);
      return op.conv(x, w);
    },
  ],
  ['rank', /AveragePool: x must have rank 4, got \[4,4\]/, () => op.averagePool(input(4, 4))],
  [
    'norm',
    /InstanceNormLeakyRelu: scale must have shape \[3\], got \[2\]/,
    () => {
      const [x, scale, bias] = inputs([1, 3, 4, 4], [2], [3]);
      return op.instanceNormLeakyRelu(x, { slope: 0.2, affine: { scale, bias } });
    },
  ],
  [
    'image',
    /Encode: image must have shape \[1,2,8,6\], got \[1,2,6,8\]/,
    () => {
      const [image, maps, mask] = inputs([1, 2, 6, 8], [1, 4, 8, 6, 2], [1, 1, 6]);
      return physics.encode(image, maps, mask);
    },
  ],
  [
    'mask',
    /Encode: mask must have shape \[1,1,6\] or \[1,8,6\], got \[1,1,8\]/,
    () => {
      const [image, maps, mask] = inputs([1, 2, 8, 6], [1, 4, 8, 6, 2], [1, 1, 8]);
      return physics.encode(image, maps, mask);
    },
  ],
  ['empty', /"x" must have positive sizes, got \[2,0\]/, () => input(2, 0)],
  [
    'constant',
    /data of shape \[2,2\] must hold 4 numbers, got 3/,
    () => new GraphBuilder().constant(new Float32Array(3), [2, 2]),
  ],
  [
    'loss',
    /loss must be one number, got shape \[2\]/,
    () => {
      const x = input(2);
      return differentiate(x, [x]);
    },
  ],
];

test.each(wrongShapes)('wrong shape: %s', (_, message, build) => {
  expect(build).toThrow(expect.objectContaining({ code: 'ERR_SHAPE', message: expect.stringMatching(message) }));
});

const inconsistent: [string, RegExp, () => unknown][] = [
  [
    'unknown operator',
    /unknown operator "Gather"/,
    () => {
      const x = input(2);
      return x.graph.apply('Gather', [x]);
    },
  ],
  [
    'too few inputs',
    /Add: takes a, b; got 1 input/,
    () => {
      const x = input(2);
      return x.graph.apply('Add', [x]);
    },
  ],
  [
    'missing attribute',
    /LeakyRelu: attribute alpha must be of kind float, got undefined/,
    () => {
      const x = input(2);
      return x.graph.apply('LeakyRelu', [x]);
    },
  ],
  [
    'foreign attribute',
    /Abs: has no attribute alpha/,
    () => {
      const x = input(2);
      return x.graph.apply('Abs', [x], { alpha: 1 });
    },
  ],
  ['fractional axis', /Transpose: attribute perm must be of kind ints/, () => op.transpose(input(2, 2), [0.5, 1])],
  [
    'axis out of range',
    /Transpose: axes must be distinct axes of a rank 2 input, got \[0,2\]/,
    () => op.transpose(input(2, 2), [0, 2]),
  ],
  [
    'reflecting too far',
    /Pad: pads must be counts from 0 to 2 on axis 0 when reflecting, got \[3,0\]/,
    () => op.pad(input(3), [3, 0], 'reflect'),
  ],
  ['split sizes', /Split: split must be sizes that add up to 4, got \[1,2\]/, () => op.split(input(4), 0, [1, 2])],
  ['comparison as a number', /Abs: x must be float32, got bool/, () => op.abs(op.greater(input(2), 0))],
  ['number as a condition', /Where: condition must be bool, got float32/, () => op.where(input(2), 1, 0)],
  ['another graph', /Add: b must belong to this graph, got "x" of another/, () => op.add(input(2), input(2))],
  [
    'name taken',
    /the name "x" is taken/,
    () => {
      const graph = new GraphBuilder();
      graph.input('x', [1]);
      return graph.input('x', [1]);
    },
  ],
  [
    'norm of the data loss',
    /DataLoss: norm must be "l1" or "l2", got "l0"/,
    () => {
      const [image, maps, mask, held, kspace] = inputs(
        [1, 2, 8, 6],
        [1, 4, 8, 6, 2],
        [1, 1, 6],
        [1, 1, 6],
        [1, 4, 8, 6, 2],
      );
      return image.graph.apply('DataLoss', [image, maps, mask, held, kspace], { norm: 'l0' });
    },
  ],
  [
    'loss without the wanted value',
    /the loss does not depend on "x1"/,
    () => {
      const [a, b] = inputs([1], [1]);
      return differentiate(op.exp(a), [b]);
    },
  ],
  [
    'gradient with respect to a mask',
    /Encode has no gradient with respect to mask/,
    () => {
      const [image, maps, mask] = inputs([1, 2, 8, 6], [1, 4, 8, 6, 2], [1, 1, 6]);
      return differentiate(op.reduceSum(physics.encode(image, maps, mask)), [mask]);
    },
  ],
  [
    'training on held-out samples',
    /DataLoss has no gradient with respect to image/,
    () => {
      const [image, maps, mask, heldOutMask, kspace] = inputs(
        [1, 2, 8, 6],
        [1, 4, 8, 6, 2],
        [1, 1, 6],
        [1, 1, 6],
        [1, 4, 8, 6, 2],
      );
      return differentiate(physics.dataLoss(image, { maps, mask, heldOutMask, kspace }).heldOutLoss, [image]);
    },
  ],
];

test.each(inconsistent)('inconsistent: %s', (_, message, build) => {
  expect(build).toThrow(expect.objectContaining({ code: 'ERR_GRAPH', message: expect.stringMatching(message) }));
});
