// ESPIRiT with the pixels' eigenproblems on a CUDA device.
import type { ComplexArray } from '../arrays/complex-array.js';
import { type EspiritOptions, type EspiritResult, espiritBy } from '../calibration/espirit.js';
import type { RunOptions } from '../jobs.js';
import type { CudaContext } from './context.js';

/**
 * `espirit` with the help of a device. Its maps differ from those of the CPU by what the power iteration leaves open, 1e-4 of their norm:
 * there neighbouring pixels end together, on a device each by itself.
 *
 * @throws LarmorError as `espirit`; `ERR_OUT_OF_MEMORY`, `ERR_DEVICE`, `ERR_CLOSED`.
 * @example const { maps } = await deviceEspirit(cuda, kspace, { mask });
 */
export function deviceEspirit(
  context: CudaContext,
  kspace: ComplexArray,
  options: EspiritOptions & RunOptions = {},
): Promise<EspiritResult> {
  return espiritBy((steps, start) => context.runBeside(steps, options, start), kspace, options);
}
