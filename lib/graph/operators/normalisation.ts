// Softmax; layer normalisation; instance normalisation, plain and fused with its activation, forward and backward.
import {
  add,
  divide,
  greater,
  instanceNormalization,
  instanceNormLeakyRelu,
  instanceNormLeakyReluGradient,
  instanceNormLeakyReluOutputGradient,
  leakyRelu,
  multiply,
  reduceMean,
  reduceSum,
  reshape,
  sqrt,
  subtract,
  where,
} from '../operations.js';
import type { Operator, Value } from '../types.js';
import {
  attributeError,
  defineOperator,
  expectRank,
  expectShape,
  float32,
  normaliseAxes,
  shapeError,
} from './define.js';

const PIXELS = { axes: [2, 3], keep: true };

/** [n,c] -> [n,c,1,1] and [c] -> [c,1,1], to broadcast over pixels. */
const perChannel = (value: Value): Value => reshape(value, [...value.shape, 1, 1]);

function checkAffine(operator: string, x: Value, scale: Value | undefined, bias: Value | undefined): void {
  if (!scale) return;
  expectShape(operator, 'scale', [x.shape[1]], scale);
  if (!bias) shapeError(operator, 'bias', `shape [${x.shape[1]}] beside scale`, []);
  expectShape(operator, 'bias', [x.shape[1]], bias);
}

/** scale h + bias for every channel; h where there are none. */
export const affinely = (normal: Value, scale: Value | undefined, bias: Value | undefined): Value =>
  scale && bias ? add(multiply(normal, perChannel(scale)), perChannel(bias)) : normal;

/** dx = g - mean(g) - h mean(g h) with g = r dh, means over pixels. */
const normGradient = (g: Value, h: Value): Value =>
  subtract(subtract(g, reduceMean(g, PIXELS)), multiply(h, reduceMean(multiply(g, h), PIXELS)));

export const normalisation: readonly Operator[] = [
  // y_i = exp(x_i) / sum over the axis of exp(x); dx = y (dy - sum(dy y))
  defineOperator({
    name: 'Softmax',
    inputs: ['x'],
    attributes: { axis: 'int' },
    infer([x], { axis }) {
      normaliseAxes('Softmax', [axis], x.shape.length);
      return [float32(x.shape)];
    },
    gradient: ({ outputs: [y], attributes: { axis }, dy }) => [
      multiply(y, subtract(dy, reduceSum(multiply(dy, y), { axes: [axis], keep: true }))),
    ],
  }),

  // y = scale (x - m) r, with mean m and inverse deviation r over the axes from `axis` on
  defineOperator({
    name: 'LayerNormalization',
    inputs: ['x', 'scale'],
    attributes: { axis: 'int', epsilon: 'float' },
    infer([x, scale], { axis }) {
      const [first] = normaliseAxes('LayerNormalization', [axis], x.shape.length);
      expectShape('LayerNormalization', 'scale', x.shape.slice(first), scale);
      const statistics = float32(x.shape.map((n, i) => (i < first ? n : 1)));
      return [float32(x.shape), statistics, statistics];
    },
  }),

  // y = scale (x - m) r + bias, with mean m and inverse deviation r of each image
  defineOperator({
    name: 'InstanceNormalization',
    inputs: ['x', 'scale', 'bias'],
    attributes: { epsilon: 'float' },
    infer([x, scale, bias]) {
      expectRank('InstanceNormalization', 'x', 4, x);
      checkAffine('InstanceNormalization', x, scale, bias);
      return [float32(x.shape)];
    },
    gradient({ inputs: [x, scale, bias], attributes: { epsilon }, dy }) {
      const affine = { scale, bias };
      const [, mean, inverseDeviation] = instanceNormLeakyRelu(x, { affine, epsilon, slope: 1 });
      return instanceNormLeakyReluGradient(dy, x, mean, inverseDeviation, { affine, slope: 1 });
    },
  }),

  // m = mean of x over pixels, r = 1 / sqrt(variance + epsilon), h = (x - m) r, z = scale h + bias, y = z > 0 ? z : slope z
  defineOperator({
    name: 'InstanceNormLeakyRelu',
    domain: 'larmor',
    inputs: ['x', 'scale?', 'bias?'],
    attributes: { epsilon: 'float', slope: 'float' },
    infer([x, scale, bias]) {
      expectRank('InstanceNormLeakyRelu', 'x', 4, x);
      checkAffine('InstanceNormLeakyRelu', x, scale, bias);
      const statistics = float32(x.shape.slice(0, 2));
      return [float32(x.shape), statistics, statistics];
    },
    // Where y tells x up to mean and deviation, x need not be kept until the way back.
    gradient({ inputs: [x, scale, bias], outputs: [y, mean, inverseDeviation], attributes: { slope }, dy }) {
      if (!scale && slope > 0) return [instanceNormLeakyReluOutputGradient(dy, y, inverseDeviation, slope)];
      const affine = scale && bias ? { scale, bias } : undefined;
      return instanceNormLeakyReluGradient(dy, x, mean, inverseDeviation, { affine, slope });
    },
    portable([x, scale, bias], { epsilon, slope }) {
      const channels = [x.shape[1]];
      const constant = (value: number): Value => x.graph.constant(new Float32Array(channels[0]).fill(value), channels);
      const affine = { scale: scale ?? constant(1), bias: bias ?? constant(0) };
      const y = leakyRelu(instanceNormalization(x, { affine, epsilon }), slope);
      const mean = reduceMean(x, PIXELS);
      const centred = subtract(x, mean);
      const variance = reduceMean(multiply(centred, centred), PIXELS);
      const inverseDeviation = divide(1, sqrt(add(variance, epsilon)));
      const statistics = x.shape.slice(0, 2);
      return [y, reshape(mean, statistics), reshape(inverseDeviation, statistics)];
    },
  }),

  // dz = dy (z > 0 ? 1 : slope), dbias = sum dz, dscale = sum dz h, dh = scale dz, dx = r (dh - mean(dh) - h mean(dh h))
  defineOperator({
    name: 'InstanceNormLeakyReluGradient',
    domain: 'larmor',
    inputs: ['dy', 'x', 'mean', 'inverseDeviation', 'scale?', 'bias?'],
    attributes: { slope: 'float' },
    infer([dy, x, mean, inverseDeviation, scale, bias]) {
      const name = 'InstanceNormLeakyReluGradient';
      expectRank(name, 'x', 4, x);
      expectShape(name, 'dy', x.shape, dy);
      expectShape(name, 'mean', x.shape.slice(0, 2), mean);
      expectShape(name, 'inverseDeviation', x.shape.slice(0, 2), inverseDeviation);
      checkAffine(name, x, scale, bias);
      return scale ? [float32(x.shape), float32(scale.shape), float32(scale.shape)] : [float32(x.shape)];
    },
    portable([dy, x, mean, inverseDeviation, scale, bias], { slope }) {
      const r = perChannel(inverseDeviation);
      const h = multiply(subtract(x, perChannel(mean)), r);
      const dz = where(greater(affinely(h, scale, bias), 0), dy, multiply(dy, slope));
      const dx = normGradient(multiply(dz, scale ? multiply(r, perChannel(scale)) : r), h);
      const axes = [0, 2, 3];
      return scale ? [dx, reduceSum(multiply(dz, h), { axes }), reduceSum(dz, { axes })] : [dx];
    },
  }),

  // The same dx from y instead of x, without scale and bias: h = y > 0 ? y : y / slope
  defineOperator({
    name: 'InstanceNormLeakyReluOutputGradient',
    domain: 'larmor',
    inputs: ['dy', 'y', 'inverseDeviation'],
    attributes: { slope: 'float' },
    infer([dy, y, inverseDeviation], { slope }) {
      const name = 'InstanceNormLeakyReluOutputGradient';
      if (!(slope > 0)) attributeError(name, 'slope', 'above 0', slope);
      expectRank(name, 'y', 4, y);
      expectShape(name, 'dy', y.shape, dy);
      expectShape(name, 'inverseDeviation', y.shape.slice(0, 2), inverseDeviation);
      return [float32(y.shape)];
    },
    portable([dy, y, inverseDeviation], { slope }) {
      const r = perChannel(inverseDeviation);
      const g = multiply(dy, where(greater(y, 0), r, multiply(r, slope)));
      return [normGradient(g, leakyRelu(y, 1 / slope))];
    },
  }),
];
