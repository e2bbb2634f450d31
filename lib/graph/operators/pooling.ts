// Pooling over disjoint windows.

import { type Shape, sameShape } from '../../arrays/complex-array.js';
import { averagePool2x2Gradient, expand, multiply, pad, reshape } from '../operations.js';
import type { Operator, Value } from '../types.js';
import { attributeError, defineOperator, expectRank, expectShape, float32, shapeError } from './define.js';

/** dL/dx of a mean over windows: every pixel receives an equal share, dropped rows and columns receive nothing. */
function share(dy: Value, [ky, kx]: Shape, [height, width]: Shape): Value {
  const [n, c, p, q] = dy.shape;
  const part = reshape(multiply(dy, 1 / (ky * kx)), [n * c * p, 1, q, 1]);
  const repeated = reshape(expand(part, [n * c * p, ky, q, kx]), [n, c, p * ky, q * kx]);
  return pad(repeated, [0, 0, 0, 0, 0, 0, height - p * ky, width - q * kx]);
}

export const pooling: readonly Operator[] = [
  defineOperator({
    name: 'AveragePool',
    inputs: ['x'],
    attributes: { kernel_shape: 'ints', strides: 'ints' },
    infer([x], { kernel_shape: window, strides }) {
      expectRank('AveragePool', 'x', 4, x);
      if (window.length !== 2 || window.some((n) => !Number.isInteger(n) || n < 1))
        attributeError('AveragePool', 'kernel_shape', 'two positive integers', window);
      if (strides.length !== 2 || strides.some((n, i) => n !== window[i]))
        attributeError('AveragePool', 'strides', `the window ${JSON.stringify(window)}`, strides);
      const image = window.map((n, i) => Math.floor(x.shape[2 + i] / n));
      if (image.some((n) => n < 1)) shapeError('AveragePool', 'x', `at least ${window} pixels`, x.shape);
      return [float32([x.shape[0], x.shape[1], ...image])];
    },
    gradient: ({ inputs: [x], attributes: { kernel_shape: window }, dy }) => [
      sameShape(window, [2, 2]) ? averagePool2x2Gradient(dy, x.shape.slice(2)) : share(dy, window, x.shape.slice(2)),
    ],
  }),

  defineOperator({
    name: 'AveragePool2x2Gradient',
    domain: 'larmor',
    inputs: ['dy'],
    attributes: { height: 'int', width: 'int' },
    infer([dy], { height, width }) {
      expectRank('AveragePool2x2Gradient', 'dy', 4, dy);
      const [n, c] = dy.shape;
      expectShape('AveragePool2x2Gradient', 'dy', [n, c, Math.floor(height / 2), Math.floor(width / 2)], dy);
      return [float32([n, c, height, width])];
    },
    portable: ([dy], { height, width }) => [share(dy, [2, 2], [height, width])],
  }),
];
