// Two-dimensional convolutions and their gradients, each expressed in the form that runs fastest on ONNX Runtime's CPU provider.
import { type Shape, sameShape } from '../../arrays/complex-array.js';
import {
  conv,
  conv1x1WeightGradient,
  conv3x3,
  conv3x3WeightGradient,
  convTranspose,
  gemm,
  reduceSum,
  reshape,
  transpose,
} from '../operations.js';
import type { Operator, Value } from '../types.js';
import { flip, patches, rows, tiles, type Window } from './convolution-forms.js';
import { attributeError, defineOperator, expectRank, expectShape, float32, shapeError } from './define.js';

const SAME = [1, 1, 1, 1];
const KINDS = { strides: 'ints', pads: 'ints', dilations: 'ints' } as const;

function checkWindow(operator: string, { strides, pads, dilations }: Window): void {
  const whole = (list: readonly number[], length: number, least: number): boolean =>
    list.length === length && list.every((n) => Number.isInteger(n) && n >= least);
  if (!whole(strides, 2, 1)) attributeError(operator, 'strides', 'two positive integers', strides);
  if (!whole(dilations, 2, 1)) attributeError(operator, 'dilations', 'two positive integers', dilations);
  if (!whole(pads, 4, 0)) attributeError(operator, 'pads', 'four integers, 0 or more', pads);
}

/** Pixels that a kernel of n taps spans. */
const extent = (n: number, dilation: number): number => dilation * (n - 1) + 1;

const isPlain = ({ strides, dilations }: Window): boolean => [...strides, ...dilations].every((n) => n === 1);

/** Whether windows of this kernel tile the image. */
const isTiling = ({ strides, pads, dilations }: Window, kernel: Shape): boolean =>
  sameShape(strides, kernel) && pads.every((n) => n === 0) && dilations.every((n) => n === 1);

/** Whether a convolution is the one that `conv3x3` computes. */
const isSame3x3 = (window: Window, kernel: Shape): boolean =>
  isPlain(window) && sameShape(kernel, [3, 3]) && sameShape(window.pads, SAME);

/** Whether a convolution mixes channels only. */
const isPointwise = (window: Window, kernel: Shape): boolean =>
  isPlain(window) && sameShape(kernel, [1, 1]) && sameShape(window.pads, [0, 0, 0, 0]);

/** dL/dx of y = conv(x, w). */
function inputGradient(dy: Value, w: Value, x: Shape, window: Window): Value {
  const { strides, pads, dilations } = window;
  const kernel = w.shape.slice(2);
  if (isSame3x3(window, kernel)) return conv3x3(dy, w, { transposed: true });
  const flipped = pads.map((n, i) => extent(kernel[i % 2], dilations[i % 2]) - 1 - n);
  // A transposed convolution of stride 1 is a convolution with the flipped kernel, which runs about twice as fast.
  if (isPlain(window) && flipped.every((n) => n >= 0)) return conv(dy, flip(w), { pads: flipped });
  const full = [0, 1].map(
    (i) => (dy.shape[2 + i] - 1) * strides[i] + extent(kernel[i], dilations[i]) - pads[i] - pads[i + 2],
  );
  return convTranspose(dy, w, { strides, pads, dilations, outputPadding: [x[2] - full[0], x[3] - full[1]] });
}

/** dL/dw [co,ci,ky,kx] of y = conv(x, w):  dw[o,i,u,v] = sum over n,p,q of dy[n,o,p,q] x[n,i,p s + u d - pad, q s + v d - pad]. */
function weightGradient(x: Value, dy: Value, kernel: Shape, window: Window): Value {
  const [co, ci] = [dy.shape[1], x.shape[1]];
  const [ky, kx] = kernel;
  if (isSame3x3(window, kernel)) return conv3x3WeightGradient(x, dy);
  const image = dy.shape.slice(2);
  if (isTiling(window, kernel))
    return reshape(gemm(rows(dy), tiles(x, kernel, image), { transposeB: true }), [co, ci, ky, kx]);
  const product = gemm(rows(dy), patches(x, kernel, image, window), { transposeB: true });
  return ky * kx === 1 ? reshape(product, [co, ci, 1, 1]) : transpose(reshape(product, [co, ky, kx, ci]), [0, 3, 1, 2]);
}

const biasGradient = (dy: Value): Value => reduceSum(dy, { axes: [0, 2, 3] });

export const convolution: readonly Operator[] = [
  defineOperator({
    name: 'Conv',
    inputs: ['x', 'w', 'bias?'],
    attributes: { ...KINDS, group: 'int' },
    infer([x, w, bias], { group, ...window }) {
      expectRank('Conv', 'x', 4, x);
      expectRank('Conv', 'w', 4, w);
      checkWindow('Conv', window);
      const [co, ci, ...kernel] = w.shape;
      if (group < 1 || x.shape[1] % group !== 0 || co % group !== 0)
        attributeError('Conv', 'group', `a divisor of ${x.shape[1]} and ${co} channels`, group);
      if (ci !== x.shape[1] / group) shapeError('Conv', 'w', `shape [any,${x.shape[1] / group},any,any]`, w.shape);
      if (bias) expectShape('Conv', 'bias', [co], bias);
      const { strides, pads, dilations } = window;
      const image = kernel.map((taps, i) => {
        const free = x.shape[2 + i] + pads[i] + pads[i + 2] - extent(taps, dilations[i]);
        if (free < 0) shapeError('Conv', 'x', `at least ${x.shape[2 + i] - free} pixels on axis ${2 + i}`, x.shape);
        return Math.floor(free / strides[i]) + 1;
      });
      return [float32([x.shape[0], co, ...image])];
    },
    gradient({ inputs: [x, w, bias], attributes, dy }) {
      if (attributes.group > 1) return [];
      const kernel = w.shape.slice(2);
      const [dw, dbias] = isPointwise(attributes, kernel)
        ? conv1x1WeightGradient(x, dy)
        : [weightGradient(x, dy, kernel, attributes), bias && biasGradient(dy)];
      return [inputGradient(dy, w, x.shape, attributes), dw, ...(bias ? [dbias] : [])];
    },
  }),

  defineOperator({
    name: 'ConvTranspose',
    inputs: ['x', 'w', 'bias?'],
    attributes: { ...KINDS, output_padding: 'ints' },
    infer([x, w, bias], { output_padding: extra, ...window }) {
      expectRank('ConvTranspose', 'x', 4, x);
      expectRank('ConvTranspose', 'w', 4, w);
      checkWindow('ConvTranspose', window);
      const [ci, co, ...kernel] = w.shape;
      if (ci !== x.shape[1]) shapeError('ConvTranspose', 'w', `shape [${x.shape[1]},any,any,any]`, w.shape);
      if (bias) expectShape('ConvTranspose', 'bias', [co], bias);
      const { strides, pads, dilations } = window;
      if (extra.length !== 2 || extra.some((n, i) => n < 0 || n >= Math.max(strides[i], dilations[i])))
        attributeError('ConvTranspose', 'output_padding', 'two counts below the stride or dilation', extra);
      const image = kernel.map(
        (taps, i) => (x.shape[2 + i] - 1) * strides[i] + extent(taps, dilations[i]) - pads[i] - pads[i + 2] + extra[i],
      );
      if (image.some((n) => n < 1)) attributeError('ConvTranspose', 'pads', 'counts that leave an image', pads);
      return [float32([x.shape[0], co, ...image])];
    },
    // The roles of image and result are exchanged: dx = conv(dy, w), dw = weight gradient of that convolution.
    gradient({ inputs: [x, w, bias], attributes, dy }) {
      const kernel = w.shape.slice(2);
      return [
        conv(dy, w, { strides: attributes.strides, pads: attributes.pads, dilations: attributes.dilations }),
        weightGradient(dy, x, kernel, attributes),
        ...(bias ? [biasGradient(dy)] : []),
      ];
    },
  }),
];
