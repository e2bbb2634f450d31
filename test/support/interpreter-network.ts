// Convolutions, pooling, normalisation and their gradients in double precision, in plain loops.
import type { Attributes } from '#larmor/graph/types.js';
import { build, indices, offset, orZero } from './elements.js';
import { type Rule, type Tensor, tensor } from './tensor.js';

/** Every product that a convolution sums, as (image index, kernel index, result index) of shapes [n,ci,..], [co,ci/group,..], [n,co,..]. */
function convolve(
  [, channels, height, width]: readonly number[],
  [co, ci, ky, kx]: readonly number[],
  [batch, , rows, columns]: readonly number[],
  { strides, pads, dilations, group = 1 }: Attributes,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [s, p, d] = [ints(strides), ints(pads), ints(dilations)];
  for (let w = 0; w < co * ci * ky * kx; w++) {
    const [o, input, u, v] = indices(w, [co, ci, ky, kx]);
    const i = input + ci * Math.floor((o * (group as number)) / co);
    for (let n = 0; n < batch; n++)
      for (let row = 0; row < rows; row++) {
        const y = row * s[0] + u * d[0] - p[0];
        if (y < 0 || y >= height) continue;
        for (let column = 0; column < columns; column++) {
          const x = column * s[1] + v * d[1] - p[1];
          if (x < 0 || x >= width) continue;
          visit(((n * channels + i) * height + y) * width + x, w, ((n * co + o) * rows + row) * columns + column);
        }
      }
  }
}

type Shape = readonly number[];

function convolveForward(x: Tensor, w: Tensor, shape: Shape, attributes: Attributes): Tensor {
  const y = tensor(shape);
  convolve(x.shape, w.shape, shape, attributes, (i, j, k) => {
    y.data[k] += x.data[i] * w.data[j];
  });
  return y;
}

function convolveTransposed(x: Tensor, w: Tensor, shape: Shape, attributes: Attributes): Tensor {
  const y = tensor(shape);
  convolve(shape, w.shape, x.shape, attributes, (i, j, k) => {
    y.data[i] += x.data[k] * w.data[j];
  });
  return y;
}

function convolveWeights(x: Tensor, dy: Tensor, shape: Shape, attributes: Attributes): Tensor {
  const dw = tensor(shape);
  convolve(x.shape, shape, dy.shape, attributes, (i, j, k) => {
    dw.data[j] += x.data[i] * dy.data[k];
  });
  return dw;
}

const ints = (value: unknown): readonly number[] => value as readonly number[];

const DOUBLING: Attributes = { strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1] };
const POINTWISE: Attributes = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
const THREE_BY_THREE: Attributes = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] };

const addBias = (y: Tensor, bias?: Tensor): Tensor =>
  bias ? build(y.shape, (index) => orZero(y, index) + bias.data[index[1]]) : y;

/** Mean and inverse deviation of each image. */
function statistics(x: Tensor, epsilon: number): { mean: Tensor; inverse: Tensor } {
  const [n, c, height, width] = x.shape;
  const count = height * width;
  const mean = tensor([n, c]);
  const inverse = tensor([n, c]);
  for (let i = 0; i < n * c; i++) {
    const pixels = x.data.subarray(i * count, (i + 1) * count);
    mean.data[i] = pixels.reduce((sum, value) => sum + value, 0) / count;
    inverse.data[i] =
      1 / Math.sqrt(pixels.reduce((sum, value) => sum + (value - mean.data[i]) ** 2, 0) / count + epsilon);
  }
  return { mean, inverse };
}

/** The channels of x, then those of `beside`. */
function sideBySide(x: Tensor, beside: Tensor | undefined): Tensor {
  if (!beside) return x;
  const channels = x.shape[1];
  return build(x.shape.with(1, channels + beside.shape[1]), (index) =>
    index[1] < channels ? orZero(x, index) : orZero(beside, index.with(1, index[1] - channels)),
  );
}

/** By the operators' names. */
export const networkRules: Readonly<Record<string, Rule>> = {
  Conv: ([x, w, bias], attributes, [{ shape }]) => [addBias(convolveForward(x, w, shape, attributes), bias)],
  ConvTranspose: ([x, w, bias], attributes, [{ shape }]) => [
    addBias(convolveTransposed(x, w, shape, attributes), bias),
  ],
  Conv3x3([x, w, beside], { transposed, split }, outputs) {
    const channels = outputs.reduce((sum, { shape }) => sum + shape[1], 0);
    const convolve = transposed ? convolveTransposed : convolveForward;
    const y = convolve(sideBySide(x, beside), w, outputs[0].shape.with(1, channels), THREE_BY_THREE);
    return outputs.map(({ shape }, part) =>
      build(shape, (index) => orZero(y, index.with(1, index[1] + (part === 0 ? 0 : (split as number))))),
    );
  },
  Conv3x3WeightGradient: ([x, dy, beside], _, [{ shape }]) => [
    convolveWeights(sideBySide(x, beside), dy, shape, THREE_BY_THREE),
  ],
  Conv1x1WeightGradient: ([x, dy], _, [{ shape }, { shape: channels }]) => [
    convolveWeights(x, dy, shape, POINTWISE),
    build(channels, ([o]) => {
      let sum = 0;
      dy.data.forEach((value, flat) => {
        if (indices(flat, dy.shape)[1] === o) sum += value;
      });
      return sum;
    }),
  ],
  ConvTranspose2x2: ([x, w], _, [{ shape }]) => [convolveTransposed(x, w, shape, DOUBLING)],
  ConvTranspose2x2InputGradient: ([dy, w], _, [{ shape }]) => [convolveForward(dy, w, shape, DOUBLING)],
  ConvTranspose2x2WeightGradient: ([x, dy], _, [{ shape }]) => [convolveWeights(dy, x, shape, DOUBLING)],
  AveragePool2x2Gradient: ([dy], _, [{ shape }]) => [
    build(shape, ([n, c, row, column]) => orZero(dy, [n, c, Math.floor(row / 2), Math.floor(column / 2)]) / 4),
  ],
  AveragePool([x], { kernel_shape }, [{ shape }]) {
    const [ky, kx] = ints(kernel_shape);
    const y = tensor(shape);
    x.data.forEach((value, flat) => {
      const [n, c, row, column] = indices(flat, x.shape);
      const index = [n, c, Math.floor(row / ky), Math.floor(column / kx)];
      if (index[2] < shape[2] && index[3] < shape[3]) y.data[offset(index, shape)] += value / (ky * kx);
    });
    return [y];
  },
  LayerNormalization([x, scale], { epsilon }, [, { shape }]) {
    const count = scale.data.length;
    const images = tensor([1, x.data.length / count, 1, count], x.data);
    const { mean, inverse } = statistics(images, epsilon as number);
    const y = x.data.map((value, i) => {
      const row = Math.floor(i / count);
      return scale.data[i % count] * (value - mean.data[row]) * inverse.data[row];
    });
    return [tensor(x.shape, y), tensor(shape, mean.data), tensor(shape, inverse.data)];
  },
  InstanceNormalization([x, scale, bias], { epsilon }) {
    const { mean, inverse } = statistics(x, epsilon as number);
    return [
      build(x.shape, (index) => {
        const [n, c] = index;
        return scale.data[c] * (orZero(x, index) - orZero(mean, [n, c])) * orZero(inverse, [n, c]) + bias.data[c];
      }),
    ];
  },
  InstanceNormLeakyRelu([x, scale, bias], { epsilon, slope }) {
    const { mean, inverse } = statistics(x, epsilon as number);
    const y = build(x.shape, (index) => {
      const [n, c] = index;
      const h = (orZero(x, index) - orZero(mean, [n, c])) * orZero(inverse, [n, c]);
      const z = scale && bias ? scale.data[c] * h + bias.data[c] : h;
      return z > 0 ? z : (slope as number) * z;
    });
    return [y, mean, inverse];
  },
  InstanceNormLeakyReluGradient([dy, x, mean, inverse, scale, bias], { slope }) {
    const [n, c, height, width] = x.shape;
    const count = height * width;
    const dx = tensor(x.shape);
    const dscale = tensor([c]);
    const dbias = tensor([c]);
    for (let i = 0; i < n * c; i++) {
      const [m, r, s, b] = [mean.data[i], inverse.data[i], scale?.data[i % c] ?? 1, bias?.data[i % c] ?? 0];
      const normal = (k: number): number => (x.data[k] - m) * r;
      const dz = (k: number): number => dy.data[k] * (s * normal(k) + b > 0 ? 1 : (slope as number));
      let [sum, product] = [0, 0];
      for (let k = i * count; k < (i + 1) * count; k++) {
        sum += dz(k);
        product += dz(k) * normal(k);
      }
      dbias.data[i % c] += sum;
      dscale.data[i % c] += product;
      for (let k = i * count; k < (i + 1) * count; k++)
        dx.data[k] = r * s * (dz(k) - sum / count - (normal(k) * product) / count);
    }
    return scale ? [dx, dscale, dbias] : [dx];
  },
  InstanceNormLeakyReluOutputGradient([dy, y, inverse], { slope }) {
    const [n, c, height, width] = y.shape;
    const count = height * width;
    const normal = (k: number): number => (y.data[k] > 0 ? y.data[k] : y.data[k] / (slope as number));
    const dz = (k: number): number => dy.data[k] * (y.data[k] > 0 ? 1 : (slope as number));
    const dx = tensor(y.shape);
    for (let i = 0; i < n * c; i++) {
      const plane = Array.from({ length: count }, (_, k) => i * count + k);
      const sum = plane.reduce((total, k) => total + dz(k), 0);
      const product = plane.reduce((total, k) => total + dz(k) * normal(k), 0);
      for (const k of plane) dx.data[k] = inverse.data[i] * (dz(k) - sum / count - (normal(k) * product) / count);
    }
    return [dx];
  },
};
