// The slice that benchmarks work on: a simulated head, undersampled, the same for the same seed everywhere.
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import type { Seed } from '../arrays/mt19937.js';
import type { RunOptions } from '../jobs.js';
import { createMask, type SamplingMask } from '../sampling/mask.js';
import { renderPhantom } from '../simulation/phantom.js';
import { simulateScan } from '../simulation/scan.js';

/** [coils, ky, kx]. */
export type SliceShape = readonly [number, number, number];

export interface BenchmarkSlice {
  /** Noisy, zero outside the mask: [coil, ky, kx]. */
  readonly kspace: ComplexArray;
  /** Random columns with a fully sampled centre. */
  readonly mask: SamplingMask;
}

const ACCELERATION = 4;
const CENTER_LINES = 26;
const SNR = 50;

/** @throws LarmorError `ERR_ARGUMENT` for sizes the simulation does not take; `signal.reason` when aborted. */
export async function benchmarkSlice(
  [coils, ny, nx]: SliceShape,
  seed: Seed,
  options: RunOptions = {},
): Promise<BenchmarkSlice> {
  const side = Math.max(ny, nx);
  const object = await renderPhantom({ family: 'head', seed, size: side, contrast: 't2' }, options);
  const { kspace: square } = await simulateScan(object, { seed, coils, snr: SNR }, options);
  const centerFraction = Math.min(CENTER_LINES, nx >> 1) / nx;
  const mask = createMask({ type: 'random', columns: nx, acceleration: ACCELERATION, centerFraction, seed });
  const kspace = complexZeros([coils, ny, nx]);
  const [top, left] = [(side >> 1) - (ny >> 1), (side >> 1) - (nx >> 1)];
  for (let row = 0; row < coils * ny; row += 1) {
    const from = (Math.floor(row / ny) * side + top + (row % ny)) * side + left;
    for (let x = 0; x < nx; x += 1) {
      if (mask.data[x] === 0) continue;
      kspace.data[2 * (row * nx + x)] = square.data[2 * (from + x)];
      kspace.data[2 * (row * nx + x) + 1] = square.data[2 * (from + x) + 1];
    }
  }
  return { kspace, mask };
}
