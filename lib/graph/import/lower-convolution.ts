// Convolutions and matrix products of ONNX in terms of the operator table.
import { sameShape } from '../../arrays/complex-array.js';
import * as op from '../operations.js';
import type { Value } from '../types.js';
import type { Lowering, OnnxCall } from './call.js';
import { broadcastShape } from './known.js';
import { expandTo } from './lower-shapes.js';
import { imageOperand, type SlidingWindow, windowOf } from './windows.js';

const ONES = [1, 1];

/** y plus one number per channel. */
const withBias = (y: Value, bias: Value | undefined): Value =>
  bias ? op.add(y, op.reshape(bias, [bias.shape[0], 1, 1])) : y;

const optional = (call: OnnxCall, index: number): Value | undefined =>
  call.has(index) ? call.value(index) : undefined;

/** Applies `f` to equal parts of channels, kernels and biases, and joins the results. */
function grouped(
  call: OnnxCall,
  [x, w, bias]: readonly [Value, Value, Value | undefined],
  f: (x: Value, w: Value, bias: Value | undefined) => Value,
): Value {
  const groups = call.int('group', 1);
  if (groups === 1) return f(x, w, bias);
  if (!(groups > 1 && x.shape[1] % groups === 0 && w.shape[0] % groups === 0))
    call.fail(`${groups} groups do not divide an image [${x.shape}] and kernels [${w.shape}]`);
  const parts = (value: Value, axis: number): readonly Value[] =>
    op.split(value, axis, new Array<number>(groups).fill(value.shape[axis] / groups));
  const [images, kernels, biases] = [parts(x, 1), parts(w, 0), bias && parts(bias, 0)];
  return op.concat(
    images.map((image, i) => f(image, kernels[i], biases?.[i])),
    1,
  );
}

/** Stride 1 and one pixel of padding under 3x3: larmor's own operator, faster where there are few channels. */
const isSame3x3 = ({ kernel, strides, pads, dilations }: SlidingWindow): boolean =>
  sameShape(kernel, [3, 3]) && sameShape(strides, ONES) && sameShape(dilations, ONES) && sameShape(pads, [1, 1, 1, 1]);

const conv: Lowering = (call) => {
  const [x, w, bias] = [imageOperand(call), call.value(1), optional(call, 2)];
  const window = windowOf(call, x.shape.slice(2), w.shape.slice(2));
  return grouped(call, [x, w, bias], (image, kernel, shift) =>
    isSame3x3(window) ? withBias(op.conv3x3(image, kernel), shift) : op.conv(image, kernel, { ...window, bias: shift }),
  );
};

const convTranspose: Lowering = (call) => {
  const [x, w, bias] = [imageOperand(call), call.value(1), optional(call, 2)];
  if (call.ints('output_shape')) call.fail('output_shape is not supported; give pads and output_padding');
  if (call.string('auto_pad', 'NOTSET').startsWith('SAME')) call.fail('auto_pad SAME is not supported; give pads');
  const { strides, pads, dilations } = windowOf(call, x.shape.slice(2), w.shape.slice(2));
  const outputPadding = call.ints('output_padding') ?? [0, 0];
  const doubles =
    [w.shape.slice(2), strides].every((list) => sameShape(list, [2, 2])) &&
    [...pads, ...outputPadding].every((n) => n === 0) &&
    sameShape(dilations, ONES);
  return grouped(call, [x, w, bias], (image, kernel, shift) =>
    doubles
      ? withBias(op.convTranspose2x2(image, kernel), shift)
      : op.convTranspose(image, kernel, { strides, pads, dilations, outputPadding, bias: shift }),
  );
};

const gemm: Lowering = (call) => {
  const [alpha, beta] = [call.float('alpha', 1), call.float('beta', 1)];
  const options = { transposeA: call.int('transA', 0) === 1, transposeB: call.int('transB', 0) === 1 };
  const product = op.gemm(call.value(0), call.value(1), options);
  const scaled = alpha === 1 ? product : op.multiply(product, alpha);
  const c = optional(call, 2);
  if (!c || beta === 0) return scaled;
  return op.add(scaled, beta === 1 ? c : op.multiply(c, beta));
};

/** NumPy's matmul: vectors become matrices, leading axes broadcast. */
const matmul: Lowering = (call) => {
  const [a, b] = [call.value(0), call.value(1)];
  const [left, right] = [
    a.shape.length === 1 ? op.reshape(a, [1, ...a.shape]) : a,
    b.shape.length === 1 ? op.reshape(b, [...b.shape, 1]) : b,
  ];
  const [m, k] = left.shape.slice(-2);
  const n = right.shape[right.shape.length - 1];
  const lead =
    broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2)) ??
    call.fail(`[${a.shape}] and [${b.shape}] do not multiply`);
  const shape = [...lead, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  // One matrix for all: a single product.
  if (right.shape.length === 2)
    return op.reshape(op.gemm(op.reshape(left, [left.shape.slice(0, -1).reduce((p, q) => p * q, 1), k]), right), shape);
  return op.reshape(op.matmul(expandTo(left, [...lead, m, k]), expandTo(right, [...lead, k, n])), shape);
};

/** Rules by operator. */
export const CONVOLUTION: Readonly<Record<string, Lowering>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  Gemm: gemm,
  MatMul: matmul,
};
