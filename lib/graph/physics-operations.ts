// The vocabulary of graphs for measurements: one function per operator of the physics, which appends it to the graph of its first input.
// image [n,2,y,x], maps [n,coil,y,x,2], kspace [n,coil,y,x,2], mask [n,1,x] or [n,y,x].
import { one } from './operations.js';
import type { Value } from './types.js';

/** Optional inputs, of which the last may be left out. */
const given = (inputs: readonly (Value | undefined)[]): Value[] => inputs.filter((input) => input !== undefined);

/** y = M F S x. */
export const encode = (image: Value, maps: Value, mask: Value): Value => one('Encode', [image, maps, mask]);
/** x = S^H F^H M y. */
export const encodeAdjoint = (kspace: Value, maps: Value, mask: Value): Value =>
  one('EncodeAdjoint', [kspace, maps, mask]);
/** x -> A^H A x. */
export const encodeNormal = (image: Value, maps: Value, mask: Value): Value => one('EncodeNormal', [image, maps, mask]);

/**
 * x = (A^H A + weight)^-1 b by conjugate gradients from 0, without a test for convergence; stops where the residual is exactly 0.
 *
 * b [n,2,y,x]; weight [1]. Every image of the batch is solved on its own. Its gradients are those of the exact solution (implicit
 * function theorem): the fewer iterations, the less exact. `solveNormalUnrolled` has those of the iteration, for more memory.
 * Running it rejects with `ERR_DIVERGED` unless weight is positive and finite.
 */
export const solveNormal = (
  b: Value,
  { maps, mask, weight }: { maps: Value; mask: Value; weight: Value },
  { iterations }: { iterations: number },
): Value => one('SolveNormal', [b, maps, mask, weight], { iterations });

/** dL/dmaps of `encode` where dL/dy = kspace, and of `encodeAdjoint` where dL/dx = image: conj(image) F^H M kspace. */
export const encodeMapsGradient = (image: Value, kspace: Value, mask: Value): Value =>
  one('EncodeMapsGradient', [image, kspace, mask]);
/** kspace - step mask (kspace - measured) + change, with a step [1]; what is left out is 0. */
export const sampleStep = (
  kspace: Value,
  mask: Value,
  step: Value,
  ...others: [measured?: Value, change?: Value]
): Value => one('SampleStep', [kspace, mask, step, ...given(others)]);
/** dL/dstep [1] of `sampleStep` where dL/d(result) = dy. */
export const sampleStepGradient = (dy: Value, kspace: Value, mask: Value, measured?: Value): Value =>
  one('SampleStepGradient', [dy, kspace, mask, ...given([measured])]);
/** The centred unitary transform of every coil [n,coil,y,x,2], or its inverse. */
export const fft2 = (x: Value, { inverse = false } = {}): Value => one('Fft2', [x], { inverse: inverse ? 1 : 0 });

/** Inputs of `dataLoss`: `heldOutMask` marks samples that count in the held-out loss only. */
export interface DataLossInputs {
  maps: Value;
  mask: Value;
  heldOutMask: Value;
  kspace: Value;
}

/** Normalised k-space misfit of an image, [1], and the same over the held-out samples, [1], which carries no gradient. */
export function dataLoss(
  image: Value,
  { maps, mask, heldOutMask, kspace }: DataLossInputs,
  norm: 'l1' | 'l2' = 'l1',
): { loss: Value; heldOutLoss: Value } {
  const [loss, heldOutLoss] = image.graph.apply('DataLoss', [image, maps, mask, heldOutMask, kspace], { norm });
  return { loss, heldOutLoss };
}
