// The unrolled network of MoDL and SSDU: a residual network and data consistency by conjugate gradients in turn, with shared weights.
import { z } from 'zod';
import { solveNormalUnrolled } from '../graph/conjugate-gradients.js';
import { abs, add, multiply } from '../graph/operations.js';
import { solveNormal } from '../graph/physics-operations.js';
import type { Value } from '../graph/types.js';
import type { Network } from './network.js';
import { createResnet } from './resnet.js';
import { networkSettings } from './settings.js';

const schema = z.strictObject({
  /** How often the network and the data consistency follow each other. */
  unrolls: z.int().min(1).max(64).default(10),
  /** Residual blocks of the network, and its channels. */
  blocks: z.int().min(1).max(256).default(15),
  channels: z.int().min(1).max(1024).default(64),
  /** Of every data consistency. */
  cgIterations: z.int().min(1).max(1000).default(10),
  /** Both convolutions of a block share one kernel, as in the published code. */
  tieBlockConvs: z.boolean().default(true),
  /** Of the data consistency: that of the exact solution, or that of the iteration as it is, which takes more memory. */
  gradient: z.enum(['implicit', 'unrolled']).default('unrolled'),
});

export type ModlConfig = z.output<typeof schema>;

const REGULARISER = 'regulariser.';
const WEIGHT = 'mu';
const INITIAL_WEIGHT = 0.05;

/**
 * The unrolled network of MoDL, as SSDU has it. From the zero-filled image x = A^H y on, so many times
 *
 *     z <- R(x),   x <- argmin ||A x - y||^2 + mu ||x - z||^2 = (A^H A + mu)^-1 (A^H y + mu z)
 *
 * with one ResNet R (`createResnet`) and one trained mu for all. It needs the image (coils combined by the maps), the maps and the mask.
 *
 * Nothing in training keeps mu positive; the network takes its magnitude. So training cannot make the equations indefinite, and where the
 * loss asks for less and less mu stays near 0. With `implicit` gradients a mu of exactly 0 rejects with `ERR_DIVERGED` when run.
 *
 * `unrolled` gradients are those of the iteration, as the published code has them. `implicit` ones are those of its limit: where training
 * lowers mu ten iterations are far from that, and the two part.
 *
 * Memory of a training step, measured: 10 kB per pixel and unroll with 15 blocks of 64 channels, 1.9 kB with 5 of 32, with `implicit`
 * gradients; `unrolled` ones add 27 to 60 bytes per iteration. Training that recomputes keeps 16 bytes per pixel and unroll, and the rest of one unroll at a time.
 *
 * @param config `ModlConfig` with any field left out: 10 unrolls of 15 blocks of 64 channels and 10 iterations, tied, exact gradient.
 * @throws LarmorError `ERR_MODEL` naming the first wrong field.
 * @see Aggarwal, Mani, Jacob, IEEE Trans Med Imaging 2019;38:394-405; Yaman et al., Magn Reson Med 2020;84:3172-3191.
 */
export function createModl(config: unknown = {}): Network {
  const settings = networkSettings('modl', schema, config);
  const regulariser = createResnet(settings);
  const solve = settings.gradient === 'implicit' ? solveNormal : solveNormalUnrolled;
  return {
    kind: 'modl',
    config: settings,
    parameters: [
      ...regulariser.parameters.map((spec) => ({ ...spec, name: REGULARISER + spec.name })),
      { name: WEIGHT, shape: [1], initial: { value: INITIAL_WEIGHT }, part: 'decoder', role: 'scale' },
    ],
    inChannels: 2,
    outChannels: 2,
    gives: 'image',
    requires: 'sense',
    reconstruct(inputs, parameter) {
      const [zeroFilled, maps, mask] = [inputs.image(), inputs.maps(), inputs.mask()];
      const weight = abs(parameter(WEIGHT));
      const step = (image: Value): Value => {
        const denoised = regulariser.build(image, (name) => parameter(REGULARISER + name));
        const target = add(zeroFilled, multiply(denoised, weight));
        return solve(target, { maps, mask, weight }, { iterations: settings.cgIterations });
      };
      let image = zeroFilled;
      for (let unroll = 0; unroll < settings.unrolls; unroll += 1) {
        const before = image;
        image = before.graph.stage(() => step(before));
      }
      return { image };
    },
  };
}
