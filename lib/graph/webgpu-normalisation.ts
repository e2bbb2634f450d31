// Instance normalisation for ONNX Runtime's WebGPU provider, whose own keeps mean and deviation to itself, and gives an image to one group of
// threads however large it is.
import {
  add,
  divide,
  layerNormalization,
  leakyRelu,
  multiply,
  reduceMean,
  reshape,
  sqrt,
  subtract,
} from './operations.js';
import { affinely } from './operators/normalisation.js';
import type { PortableForms } from './portable.js';
import type { Value } from './types.js';

/** One group of 64 threads normalises an image in one kernel: with more pixels than this it takes about as long as ten kernels of many groups. */
const PIXELS = 32768;

/** Normalised x [n,c,y,x] and its means and inverse deviations, of as many numbers as there are images. */
type Normalised = readonly [h: Value, mean: Value, inverseDeviation: Value];

function inOneKernel(x: Value, epsilon: number): Normalised {
  const [n, c, height, width] = x.shape;
  const pixels = height * width;
  const ones = x.graph.constant(new Float32Array(pixels).fill(1), [pixels]);
  const [h, ...statistics] = layerNormalization(reshape(x, [n * c, pixels]), ones, 1, epsilon);
  return [reshape(h, x.shape), statistics[0], statistics[1]];
}

function inSteps(x: Value, epsilon: number): Normalised {
  const overPixels = { axes: [2, 3], keep: true };
  const mean = reduceMean(x, overPixels);
  const centred = subtract(x, mean);
  const variance = reduceMean(multiply(centred, centred), overPixels);
  const inverseDeviation = divide(1, sqrt(add(variance, epsilon)));
  return [multiply(centred, inverseDeviation), mean, inverseDeviation];
}

export const WEBGPU_NORMALISATION: PortableForms = {
  InstanceNormLeakyRelu([x, scale, bias], { epsilon, slope }) {
    const [n, c, height, width] = x.shape;
    const normalise = height * width > PIXELS ? inSteps : inOneKernel;
    const [h, mean, inverseDeviation] = normalise(x, epsilon as number);
    const y = leakyRelu(affinely(h, scale, bias), slope as number);
    return [y, reshape(mean, [n, c]), reshape(inverseDeviation, [n, c])];
  },
};
