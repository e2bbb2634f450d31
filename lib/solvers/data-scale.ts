// How bright the image behind some k-space is: the unit in which weights of sparsity are given.
import type { ComplexArray } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { expectKspace } from '../sampling/kspace.js';
import type { SamplingMask } from '../sampling/mask.js';

/**
 * Brightness of the image behind kspace, in its units. A weight lambda of a norm of x means the same for every scan when multiplied by it;
 * so does BART's pics, whose lambdas can be taken over.
 *
 * It is the 90th percentile of the root sum of squares over coils of the image of the fully sampled centre, at most 32 x 32 samples; its
 * maximum instead where that lies further above the percentile than twice the percentile above the median, as for small objects. Without
 * a sampled centre, the image of all samples counts.
 *
 * @param kspace [coil, ky, kx]. @param mask The samples measured.
 * @throws LarmorError `ERR_SHAPE`, `ERR_MASK`; `ERR_NOT_FINITE`; `ERR_CALIBRATION` when the centre of kspace holds only zeros.
 *   `signal.reason` when aborted.
 */
export async function dataScale(kspace: ComplexArray, mask: SamplingMask, options: RunOptions = {}): Promise<number> {
  const [coils, ny, nx] = expectKspace('dataScale', kspace, mask);
  const threads = threadCount(options);
  const lines = mask.shape.length === 1;
  const scale = await runJob(1, options, (control) =>
    binding.dataScale(control, kspace.data, coils, ny, nx, mask.data, lines, threads),
  );
  if (scale > 0) return scale;
  throw new LarmorError(
    'ERR_CALIBRATION',
    'dataScale: the centre of kspace holds only zeros, so there is no scale: check the mask and the scan',
  );
}
