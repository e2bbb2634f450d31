// What regularised least squares with one encoding have in common around their native solve.
import { type ComplexArray, complexUninitialised, expectComplex } from '../arrays/complex-array.js';
import type { EncodingArguments, JobControl } from '../binding.js';
import type { ProximalOutcome } from '../bindings/solvers.js';
import { runJob, threadCount } from '../jobs.js';
import { mapSizes } from '../operators/coils.js';
import type { EncodingOptions } from '../operators/encoding.js';
import { maskWeights } from '../operators/mask.js';
import { dataScale } from './data-scale.js';
import {
  type PenaltyOptions,
  penaltySettings,
  type RegularisedResult,
  regularisedResult,
} from './proximal-gradient.js';

/** What the native solves take first. */
export type RegularisedArguments = [...EncodingArguments, iterations: number, tolerance: number, weight: number];

/**
 * Checks kspace [coil, ky, kx], model and options, finds the data scale unless it is given, and lets `start` fill the image [y, x] or
 * [set, y, x].
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_MASK`, `ERR_ARGUMENT`; as `dataScale`.
 */
export async function solveRegularised(
  who: string,
  kspace: ComplexArray,
  { maps, mask }: EncodingOptions,
  options: PenaltyOptions & { readonly lambda: number },
  start: (control: JobControl, args: RegularisedArguments, seed: number) => Promise<ProximalOutcome>,
): Promise<RegularisedResult> {
  const { sets, coils, ny, nx, image, coilImages } = mapSizes(who, maps);
  const weights = maskWeights(who, mask, ny, nx);
  expectComplex(who, 'kspace', kspace, coilImages);
  const { lambda, seed, maxIterations, tolerance, ...settings } = penaltySettings(who, options);
  const threads = threadCount(options);
  const scale = settings.scale ?? (await dataScale(kspace, mask, { signal: options.signal, threads }));
  const x = complexUninitialised(image);
  const encoding: EncodingArguments = [sets, coils, ny, nx, maps.data, weights, kspace.data, x.data, threads];
  const outcome = await runJob(maxIterations, options, (control) =>
    start(control, [...encoding, maxIterations, tolerance, lambda * scale], seed),
  );
  return regularisedResult(x, scale, outcome);
}
