// Compressed sensing with wavelets, each solve one job off the event loop.
import type { ComplexArray } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import type { EncodingOptions } from '../operators/encoding.js';
import { type WaveletOptions, waveletArguments } from '../operators/wavelet.js';
import type { PenaltyOptions, RegularisedResult } from './proximal-gradient.js';
import { solveRegularised } from './regularised.js';

/** What can be chosen about `l1Wavelet`. */
export interface L1WaveletOptions extends PenaltyOptions, WaveletOptions {
  /** Weight of the l1 norm, relative to the data scale. Default 0.002. */
  readonly lambda?: number | undefined;
  /**
   * Displace the transform by another random number of pixels in every iteration, so that no block edges of one grid remain. The solution
   * then is an average over displacements rather than the minimiser for one of them, and changes slightly until the end. Default true.
   */
  readonly cycleSpinning?: boolean | undefined;
}

/**
 * The image x that minimises 1/2 ||A x - kspace||^2 + lambda s ||W x||_1, W being an orthogonal wavelet transform (see `Wavelet`), ||.||_1
 * the sum of complex magnitudes over all coefficients, the coarse band included, and s the data scale (see `dataScale`).
 *
 * Shapes: kspace [coil, ky, kx], of which samples outside the mask are ignored; maps [coil, y, x] or [set, coil, y, x], one transform per set;
 * x [y, x] or [set, y, x], in the units of kspace. The step is the inverse of the largest possible eigenvalue of A^H A, 1 for normalised maps.
 *
 * `bart pics -S -R W:3:0:L` is lambda L, `-n` is `cycleSpinning: false`. BART's transform pads the edges and so differs there.
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_MASK`, `ERR_ARGUMENT`; `ERR_NOT_FINITE` when kspace or maps hold NaN or infinity; `ERR_DIVERGED`.
 *   `signal.reason` when aborted.
 * @see Lustig, Donoho and Pauly, Magn Reson Med 2007;58:1182-1195; solved as in `fista`.
 * @example const { x, objective } = await l1Wavelet(kspace, { maps, mask }, { lambda: 0.005 });
 */
export async function l1Wavelet(
  kspace: ComplexArray,
  model: EncodingOptions,
  options: L1WaveletOptions = {},
): Promise<RegularisedResult> {
  const { lambda = 0.002, cycleSpinning = true } = options;
  const transform = waveletArguments('l1Wavelet', options);
  return await solveRegularised('l1Wavelet', kspace, model, { ...options, lambda }, (control, args, seed) =>
    binding.l1Wavelet(control, ...args, cycleSpinning ? seed : undefined, ...transform),
  );
}
