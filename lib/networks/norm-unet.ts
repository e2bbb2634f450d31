// fastMRI's NormUnet: a U-Net from complex image to complex image that sees its input at zero mean and unit deviation.
import { add, divide, greater, multiply, pad, reduceMean, sqrt, subtract, where } from '../graph/operations.js';
import type { Value } from '../graph/types.js';
import { type ImageNetwork, imageNetworkOf } from './image-network.js';
import { createUnet } from './unet.js';

/** Sides are padded with zeros to multiples of this, whatever the number of pools. */
const SIDE_MULTIPLE = 16;
const PIXELS = { axes: [2, 3], keep: true };

/**
 * The network on images [n,2,y,x] of any size; parameters are named as in PyTorch, from `unet.` on.
 *
 * Real and imaginary part of every image are normalised on their own: by the mean and the unbiased deviation over the pixels, which
 * the output gets back. A part that is constant is only shifted, where fastMRI divides by zero.
 *
 * @throws LarmorError `ERR_MODEL` for sizes that no U-Net has.
 * @see Sriram et al., End-to-End Variational Networks for Accelerated MRI Reconstruction, MICCAI 2020.
 */
export function createNormUnet({
  channels,
  pools,
}: {
  readonly channels: number;
  readonly pools: number;
}): ImageNetwork {
  const unet = createUnet({ channels, pools });
  return imageNetworkOf({
    ...unet,
    kind: 'norm-unet',
    parameters: unet.parameters.map((spec) => ({ ...spec, name: `unet.${spec.name}` })),
    build(input, parameter) {
      const mean = reduceMean(input, PIXELS);
      const centred = subtract(input, mean);
      const deviation = unbiasedDeviation(centred);
      const normal = padSides(divide(centred, deviation));
      const output = unet.build(normal.image, (name) => parameter(`unet.${name}`));
      return add(multiply(pad(output, normal.crop), deviation), mean);
    },
  });
}

/** Over the pixels of images of zero mean; 1 where it is 0. */
function unbiasedDeviation(centred: Value): Value {
  const [, , height, width] = centred.shape;
  const count = height * width;
  const variance = multiply(reduceMean(multiply(centred, centred), PIXELS), count / (count - 1));
  return sqrt(where(greater(variance, 0), variance, 1));
}

/** The image with padded sides, the odd pixel after it, and the pads that undo it. */
function padSides(image: Value): { readonly image: Value; readonly crop: readonly number[] } {
  const missing = image.shape.slice(2).map((n) => Math.ceil(n / SIDE_MULTIPLE) * SIDE_MULTIPLE - n);
  const before = missing.map((count) => Math.floor(count / 2));
  const after = missing.map((count) => Math.ceil(count / 2));
  const pads = [0, 0, ...before, 0, 0, ...after];
  return { image: pad(image, pads), crop: pads.map((count) => 0 - count) };
}
