// The columns of k-space that an end-to-end VarNet takes for measured.
import { type ComplexArray, points } from '../arrays/complex-array.js';
import type { SamplingMask } from '../sampling/mask.js';

/**
 * The mask less the columns that are zero in all coils: beside the acquired part of k-space nothing was measured, and fastMRI's networks
 * are trained to fill it. Masks of points come back as they are.
 *
 * @param kspace [coil, ky, kx].
 */
export function measuredColumns({ data, shape }: ComplexArray, mask: SamplingMask): SamplingMask {
  if (mask.shape.length !== 1) return mask;
  const width = shape[shape.length - 1];
  const samples = points(shape);
  const holdsSignal = (x: number): boolean => {
    for (let i = x; i < samples; i += width) if (data[2 * i] !== 0 || data[2 * i + 1] !== 0) return true;
    return false;
  };
  return {
    data: Uint8Array.from(mask.data, (sampled, x) => Number(sampled === 1 && holdsSignal(x))),
    shape: mask.shape,
  };
}
