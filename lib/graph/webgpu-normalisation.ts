// Instance normalisation for ONNX Runtime's WebGPU provider: one kernel gives what takes ten from means and differences.
import { layerNormalization, leakyRelu, reshape } from './operations.js';
import { affinely } from './operators/normalisation.js';
import type { PortableForms } from './portable.js';

/** One group of 64 threads normalises an image: with more pixels than this it takes about as long as those ten, of many groups each. */
const PIXELS = 32768;

export const WEBGPU_NORMALISATION: PortableForms = {
  InstanceNormLeakyRelu([x, scale, bias], { epsilon, slope }) {
    const [n, c, height, width] = x.shape;
    const pixels = height * width;
    if (pixels > PIXELS) return undefined;
    const ones = x.graph.constant(new Float32Array(pixels).fill(1), [pixels]);
    const rows = reshape(x, [n * c, pixels]);
    const [normal, mean, inverseDeviation] = layerNormalization(rows, ones, 1, epsilon as number);
    const y = leakyRelu(affinely(reshape(normal, x.shape), scale, bias), slope as number);
    return [y, reshape(mean, [n, c]), reshape(inverseDeviation, [n, c])];
  },
};
