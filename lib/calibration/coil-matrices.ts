// Matrices over coils: found from the products of coils with each other, applied to every sample of k-space.
import { type ComplexArray, complexUninitialised } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import type { SamplingMask } from '../sampling/mask.js';
import type { CalibrationRegion } from './calibration-data.js';

/** The fully sampled centre of k-space [coil, ky, kx], at most maxRows x maxColumns; sides are 0 where even the centre was not measured. */
export async function findCalibrationRegion(
  kspace: ComplexArray,
  mask: SamplingMask | undefined,
  [maxRows, maxColumns]: readonly [number, number],
  options: RunOptions,
): Promise<CalibrationRegion> {
  const [coils, ny, nx] = kspace.shape;
  const lines = mask?.shape.length === 1;
  const [row, rows, column, columns] = await runJob(1, options, (control) =>
    binding.calibrationRegion(control, kspace.data, coils, ny, nx, mask?.data, lines, maxRows, maxColumns),
  );
  return { row, rows, column, columns };
}

/** Sum over the samples of a block of y conj(y): Hermitian [coil, coil], interleaved, in double. @throws LarmorError `ERR_NOT_FINITE`. */
export async function coilGram(
  kspace: ComplexArray,
  { row, rows, column, columns }: CalibrationRegion,
  options: RunOptions,
): Promise<Float64Array> {
  const [coils, ny, nx] = kspace.shape;
  const gram = new Float64Array(2 * coils * coils);
  const threads = threadCount(options);
  await runJob(1, options, (control) =>
    binding.coilGram(control, kspace.data, coils, ny, nx, row, rows, column, columns, gram, threads),
  );
  return gram;
}

/**
 * Replaces the coils of k-space [coil, ky, kx] by combinations of them: [combination, ky, kx].
 *
 * @param matrices [combination, coil], or [y, combination, coil] to act on every position y along the readout (the first axis) in its image.
 */
export async function applyCoilMatrices(
  kspace: ComplexArray,
  matrices: ComplexArray,
  options: RunOptions,
): Promise<ComplexArray> {
  const [coils, ny, nx] = kspace.shape;
  const mixed = matrices.shape[matrices.shape.length - 2];
  const alongReadout = matrices.shape.length === 3;
  const result = complexUninitialised([mixed, ny, nx]);
  const threads = threadCount(options);
  await runJob(1, options, (control) =>
    binding.mixCoils(control, mixed, kspace.data, coils, ny, nx, matrices.data, alongReadout, result.data, threads),
  );
  return result;
}
