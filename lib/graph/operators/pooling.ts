// Pooling over disjoint windows.
import { expand, multiply, pad, reshape } from '../operations.js';
import type { Operator } from '../types.js';
import { attributeError, defineOperator, expectRank, float32, shapeError } from './define.js';

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
    // Every pixel of a window receives an equal share; dropped rows and columns receive nothing.
    gradient({ inputs: [x], attributes: { kernel_shape: window }, dy }) {
      const [n, c, p, q] = dy.shape;
      const [ky, kx] = window;
      const share = reshape(multiply(dy, 1 / (ky * kx)), [n * c * p, 1, q, 1]);
      const repeated = reshape(expand(share, [n * c * p, ky, q, kx]), [n, c, p * ky, q * kx]);
      return [pad(repeated, [0, 0, 0, 0, 0, 0, x.shape[2] - p * ky, x.shape[3] - q * kx])];
    },
  }),
];
