// Robust self-supervision for noisy data: what to make of a network that was trained to see more noise than its targets hold.
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { EncodingOperator, type EncodingOptions } from '../operators/encoding.js';

/**
 * The image without noise that the output of a robustly trained network stands for.
 *
 * The measured samples y = A x + n hold noise of deviation s; the network sees y' = y + n' with added noise of deviation alpha s and is
 * trained, in the l2 norm, to give y. At the samples it sees, what it learns is E[y | y'] = E[A x | y'] + E[n | y']. Given n + n', which
 * y' - A x is, the added part is expected to be alpha^2 times the first, so y' - E[A x | y'] = (1 + alpha^2) E[n | y'] and
 *
 *     E[A x | y'] = ((1 + alpha^2) E[y | y'] - y') / alpha^2 = E[y | y'] + (E[y | y'] - y') / alpha^2.
 *
 * At the samples it does not see, n says nothing about y' and the network's output is E[A x | y'] as it stands. The image takes the change
 * of the seen samples through A^H: x + A^H (A x - y') / alpha^2. That is exact where A^H A projects, as it does for one coil, or full
 * sampling with normalised maps; with undersampled coils that overlap it goes part of the way.
 *
 * Shapes: image [y, x], the network's output for y'; kspace [coil, ky, kx], y' itself, zero where the mask of `encoding` is.
 *
 * @throws LarmorError `ERR_ARGUMENT` unless alpha is positive; `ERR_SHAPE`, `ERR_MASK`; signal.reason when aborted.
 * @see Moran et al., Noisier2Noise: Learning to Denoise from Unpaired Noisy Data, CVPR 2020; Millard, Chiew, Clean Self-Supervised MRI
 *   Reconstruction from Noisy, Sub-Sampled Training Data with Robust SSDU, Bioengineering 2024;11:1305.
 */
export async function withoutAddedNoise(
  image: ComplexArray,
  kspace: ComplexArray,
  encoding: EncodingOptions,
  alpha: number,
  options: RunOptions = {},
): Promise<ComplexArray> {
  if (!(alpha > 0 && Number.isFinite(alpha)))
    throw new LarmorError('ERR_ARGUMENT', `withoutAddedNoise: alpha must be a positive number, got ${alpha}`);
  const operator = new EncodingOperator(encoding);
  const predicted = await operator.normal(image, options);
  const seen = await operator.adjoint(kspace, options);
  const result = complexZeros(image.shape);
  for (let i = 0; i < result.data.length; i += 1)
    result.data[i] = image.data[i] + (predicted.data[i] - seen.data[i]) / alpha ** 2;
  return result;
}
