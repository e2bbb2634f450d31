// Cascades of small U-Nets and data consistency on given coil maps: larmor's own unrolled network.
import { z } from 'zod';
import { solveNormalUnrolled } from '../graph/conjugate-gradients.js';
import { add, multiply, subtract } from '../graph/operations.js';
import { encodeNormal, solveNormal } from '../graph/physics-operations.js';
import type { Value } from '../graph/types.js';
import type { Network, ParameterSpec } from './network.js';
import { networkSettings } from './settings.js';
import { createUnet } from './unet.js';

const schema = z.strictObject({
  cascades: z.int().min(1).max(64).default(5),
  /** Of the first level of the U-Net in every cascade, and its levels below. */
  channels: z.int().min(1).max(1024).default(12),
  pools: z.int().min(1).max(8).default(3),
  /** Conjugate-gradient iterations of every data consistency. */
  iterations: z.int().min(1).max(100).default(5),
  /** Of every data consistency: that of the exact solution, or that of the iteration. */
  gradient: z.enum(['implicit', 'unrolled']).default('unrolled'),
});

/** Configuration of the unrolled network with every default filled in. */
export type UnrolledConfig = z.output<typeof schema>;

/** Square root of the weight that data consistency starts training with. */
const INITIAL_WEIGHT_ROOT = 0.25;
/** Keeps the systems solvable when training drives a weight to zero; eigenvalues of A^H A lie between 0 and 1. */
const LEAST_WEIGHT = 1e-5;

const isLast = ({ name }: ParameterSpec, pools: number): boolean => name.startsWith(`up_conv.${pools - 1}.1.`);
const regulariserName = (cascade: number): string => `cascades.${cascade}.unet.`;
const weightName = (cascade: number): string => `cascades.${cascade}.weight_root`;

/**
 * Cascades on the image x, from the CG-SENSE image of a trained weight on. Each lets a residual U-Net R propose an image, and pulls it
 * back to the samples y with a trained weight mu = w^2:
 *
 *     z = R(x);   x = argmin ||A x - y||^2 + mu ||x - z||^2 = z + (A^H A + mu)^-1 (A^H y - A^H A z)
 *
 * by conjugate gradients from z. Of the measurement it needs the image A^H y, the maps and the mask. The U-Nets have affine instance
 * normalisation and weights of their own in every cascade.
 *
 * `unrolled` gradients are those of the iteration as it is. `implicit` ones (implicit function theorem) are those of its limit: they take a
 * sixth less time and less memory, but as training lowers mu few iterations get ever further from it, and the gradient of what the data
 * do not see, which the limit divides by mu, grows without bound: at 64 x 64 with 3 cascades and 6 iterations training diverged after 120
 * steps, where with 12 it did not.
 *
 * Memory: a training step keeps the activations of all cascades, a forward run those of one.
 *
 * @param config `UnrolledConfig` with any field left out.
 * @throws LarmorError `ERR_MODEL` naming the first wrong field.
 * @see Aggarwal, Mani, Jacob, MoDL: Model-Based Deep Learning Architecture for Inverse Problems, IEEE Trans Med Imaging 2019;38:394-405.
 */
export function createUnrolled(config: unknown = {}): Network {
  const settings = networkSettings('unrolled', schema, config);
  const { cascades, channels, pools, iterations } = settings;
  const solve = settings.gradient === 'implicit' ? solveNormal : solveNormalUnrolled;
  const regulariser = createUnet({ channels, pools, residual: true, affine: true });
  const weightSpec = (cascade: number): ParameterSpec => ({
    name: weightName(cascade),
    shape: [1],
    initial: { value: INITIAL_WEIGHT_ROOT },
    part: 'decoder',
    role: 'scale',
  });
  const parameters = [weightSpec(0)];
  for (let cascade = 1; cascade <= cascades; cascade++)
    parameters.push(
      ...regulariser.parameters.map((spec) => ({
        ...spec,
        name: regulariserName(cascade) + spec.name,
        // The last convolution, weights and bias, starts at zero: so training sets out from the CG-SENSE image.
        ...(isLast(spec, pools) && { initial: { value: 0 } }),
      })),
      weightSpec(cascade),
    );
  return {
    kind: 'unrolled',
    config: settings,
    parameters,
    inChannels: 2,
    outChannels: 2,
    gives: 'image',
    requires: 'sense',
    reconstruct(inputs, parameter) {
      const [combined, maps, mask] = [inputs.image(), inputs.maps(), inputs.mask()];
      const weight = (cascade: number): Value => {
        const root = parameter(weightName(cascade));
        return add(multiply(root, root), LEAST_WEIGHT);
      };
      const towardsData = (right: Value, cascade: number): Value =>
        solve(right, { maps, mask, weight: weight(cascade) }, { iterations });
      const improved = (image: Value, cascade: number): Value => {
        const proposed = regulariser.build(image, (name) => parameter(regulariserName(cascade) + name));
        const misfit = subtract(combined, encodeNormal(proposed, maps, mask));
        return add(proposed, towardsData(misfit, cascade));
      };
      let image = towardsData(combined, 0);
      for (let cascade = 1; cascade <= cascades; cascade++) {
        const before = image;
        image = before.graph.stage(() => improved(before, cascade));
      }
      return { image };
    },
  };
}
