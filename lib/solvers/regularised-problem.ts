// What the solvers of one slice with a penalty start from.
import { type ComplexArray, complexUninitialised, expectComplex } from '../arrays/complex-array.js';
import type { EncodingArguments } from '../binding.js';
import { threadCount } from '../jobs.js';
import { mapSizes } from '../operators/coils.js';
import type { EncodingOptions } from '../operators/encoding.js';
import { maskWeights } from '../operators/mask.js';
import { dataScale } from './data-scale.js';
import { type PenaltyOptions, penaltySettings } from './proximal-gradient.js';

/** A checked problem: 1/2 ||A x - kspace||^2 plus a penalty of weight lambda s. */
export interface RegularisedProblem {
  /** Where the solution goes: [y, x], or [set, y, x]. */
  readonly x: ComplexArray;
  /** The data scale s. */
  readonly scale: number;
  readonly seed: number;
  readonly maxIterations: number;
  /** What the addon's solvers take first. */
  readonly shared: [...EncodingArguments, iterations: number, tolerance: number, weight: number];
}

/** @throws LarmorError `ERR_SHAPE`, `ERR_MASK`, `ERR_ARGUMENT`; `ERR_NOT_FINITE`; `ERR_CALIBRATION`. `signal.reason` when aborted. */
export async function regularisedProblem(
  who: string,
  kspace: ComplexArray,
  { maps, mask }: EncodingOptions,
  options: PenaltyOptions & { readonly lambda: number },
): Promise<RegularisedProblem> {
  const { sets, coils, ny, nx, image, coilImages } = mapSizes(who, maps);
  const weights = maskWeights(who, mask, ny, nx);
  expectComplex(who, 'kspace', kspace, coilImages);
  const { lambda, seed, maxIterations, tolerance, scale: given } = penaltySettings(who, options);
  const threads = threadCount(options);
  const scale = given ?? (await dataScale(kspace, mask, { signal: options.signal, threads }));
  const x = complexUninitialised(image);
  const encoding: EncodingArguments = [sets, coils, ny, nx, maps.data, weights, kspace.data, x.data, threads];
  return { x, scale, seed, maxIterations, shared: [...encoding, maxIterations, tolerance, lambda * scale] };
}
