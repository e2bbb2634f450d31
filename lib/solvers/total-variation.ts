// Compressed sensing with total variation, each solve one job off the event loop.
import type { ComplexArray } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import type { EncodingOptions } from '../operators/encoding.js';
import type { PenaltyOptions, RegularisedResult } from './proximal-gradient.js';
import { solveRegularised } from './regularised.js';

/** What can be chosen about `totalVariation`. */
export interface TotalVariationOptions extends Omit<PenaltyOptions, 'seed'> {
  /** Weight of the total variation, relative to the data scale. Default 0.002. */
  readonly lambda?: number | undefined;
}

/**
 * The image x that minimises 1/2 ||A x - kspace||^2 + lambda s TV(x), TV being the sum over pixels of sqrt(|x[y, x] - x[y - 1, x]|^2 +
 * |x[y, x] - x[y, x - 1]|^2) with edges joined, and s the data scale (see `dataScale`).
 *
 * Accelerated proximal gradients; the proximal map is solved on its dual, ever more exactly. Shapes: kspace [coil, ky, kx], of which samples
 * outside the mask are ignored; maps [coil, y, x] or [set, coil, y, x], one total variation per set; x [y, x] or [set, y, x], in the units
 * of kspace. `bart pics -S -R T:3:0:L` is lambda L.
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_MASK`, `ERR_ARGUMENT`; `ERR_NOT_FINITE` when kspace or maps hold NaN or infinity; `ERR_CALIBRATION`
 *   when kspace holds only zeros; `ERR_DIVERGED`. `signal.reason` when aborted.
 * @see Rudin, Osher and Fatemi, Physica D 1992;60:259-268; Block, Uecker and Frahm, Magn Reson Med 2007;57:1086-1098; solved after Beck and
 *   Teboulle, IEEE Trans Image Process 2009;18:2419-2434.
 * @example const { x, objective } = await totalVariation(kspace, { maps, mask }, { lambda: 0.002 });
 */
export async function totalVariation(
  kspace: ComplexArray,
  model: EncodingOptions,
  options: TotalVariationOptions = {},
): Promise<RegularisedResult> {
  const settings = { ...options, lambda: options.lambda ?? 0.002 };
  return await solveRegularised('totalVariation', kspace, model, settings, (control, args) =>
    binding.totalVariation(control, ...args),
  );
}
