// Fewer virtual coils that hold nearly all of the signal: reconstruction then costs less, and loses next to nothing.
import { type ComplexArray, complexZeros, formatShape } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { expectKspace } from '../sampling/kspace.js';
import type { SamplingMask } from '../sampling/mask.js';
import type { CalibrationRegion } from './calibration-data.js';
import { applyCoilMatrices, coilGram, findCalibrationRegion } from './coil-matrices.js';

/** The ways to compress coils. */
export const COMPRESSION_METHODS = ['svd', 'geometric'] as const;

/** `svd`: one matrix for all samples. `geometric`: one for every position along the readout. */
export type CompressionMethod = (typeof COMPRESSION_METHODS)[number];

/** How far to compress. */
export interface CompressionOptions {
  /** Virtual coils. Default: as many as hold `energy`. */
  readonly coils?: number | undefined;
  /** Share of the calibration region's energy that the virtual coils hold at least. Default 0.999. */
  readonly energy?: number | undefined;
  /** Which samples of k-space were measured. Without it: the positions at which some coil is not zero. */
  readonly mask?: SamplingMask | undefined;
}

/** Virtual coils and what they hold. */
export interface CoilCompression {
  readonly method: CompressionMethod;
  /** [virtual coil, coil]; geometric: [y, virtual coil, coil] for every position y along the readout. Rows are orthonormal. */
  readonly matrices: ComplexArray;
  /** Virtual coils. */
  readonly coils: number;
  /** Share of the energy of the samples looked at that the virtual coils hold, from 0 to 1. */
  readonly keptEnergy: number;
}

const CALIBRATION_SIZE = 24;
/** With a hundredth missing, errors of CG-SENSE grow by up to a tenth; with a thousandth, by less than a fiftieth. */
const ENERGY = 0.999;

/**
 * Coil compression by the singular value decomposition of the calibration region, coils by samples: virtual coil k is the projection onto
 * the k-th principal direction, so that white noise stays white and nothing is scaled.
 *
 * Shapes: kspace [coil, ky, kx].
 *
 * @param options `samples`: the fully sampled centre, at most 24 x 24 samples, or all that are not zero. Default: the centre.
 * @throws LarmorError `ERR_SHAPE`, `ERR_MASK`; `ERR_ARGUMENT` for more virtual coils than coils; `ERR_NOT_FINITE`; `ERR_CALIBRATION` when
 * the samples hold only zeros, or no centre was measured. `signal.reason` when aborted.
 * @see Buehrer et al., Magn Reson Med 2007;57:1131-1139; Huang et al., Magn Reson Imaging 2008;26:133-141.
 * @example const compressed = await compressCoils(kspace, await svdCompression(kspace, { coils: 8, mask }));
 */
export async function svdCompression(
  kspace: ComplexArray,
  options: CompressionOptions & { readonly samples?: 'calibration' | 'all' | undefined } & RunOptions = {},
): Promise<CoilCompression> {
  const who = 'svdCompression';
  const { mask, samples = 'calibration', ...run } = options;
  const [coils, ny, nx] = expectKspace(who, kspace, mask);
  const wanted = expectSize(who, coils, options);
  const all = { row: 0, rows: ny, column: 0, columns: nx };
  const region =
    samples === 'all' ? all : await calibrationRegion(who, kspace, mask, [CALIBRATION_SIZE, CALIBRATION_SIZE], run);
  const gram = await coilGram(kspace, region, run);
  const values = new Float64Array(coils);
  const vectors = new Float64Array(gram.length);
  await runJob(1, run, (control) => binding.hermitianEigen(control, coils, gram, values, vectors));
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  if (!(total > 0)) throw new LarmorError('ERR_CALIBRATION', `${who}: the samples hold only zeros`);
  let [count, kept] = [0, 0];
  while (count < (wanted.coils ?? coils) && (wanted.coils !== undefined || kept < wanted.energy * total)) {
    kept += Math.max(0, values[count]);
    count += 1;
  }
  const matrices = complexZeros([count, coils]);
  for (let i = 0; i < matrices.data.length; i += 1) matrices.data[i] = i % 2 === 0 ? vectors[i] : -vectors[i];
  return { method: 'svd', matrices, coils: count, keptEnergy: Math.min(1, kept / total) };
}

/**
 * Geometric coil compression: virtual coils of their own at every position along the fully sampled readout, where few coils see much, turned
 * by unitary matrices so that neighbouring positions agree and the virtual coils vary smoothly. Needs fewer virtual coils than `svd`.
 *
 * Shapes: kspace [coil, ky, kx] with readouts along ky.
 *
 * @param options `window`: positions along the readout that one matrix is found from. Default 5.
 * @throws LarmorError as `svdCompression`; `ERR_CALIBRATION` also where readouts are sampled in part.
 * @see Zhang et al., Magn Reson Med 2013;69:571-582.
 */
export async function geometricCompression(
  kspace: ComplexArray,
  options: CompressionOptions & { readonly window?: number | undefined } & RunOptions = {},
): Promise<CoilCompression> {
  const who = 'geometricCompression';
  const { mask, window = 5, ...run } = options;
  const [coils, ny, nx] = expectKspace(who, kspace, mask);
  const wanted = expectSize(who, coils, options);
  if (!Number.isInteger(window) || window < 1)
    throw new LarmorError('ERR_ARGUMENT', `${who}: window must be a positive integer, got ${window}`);
  const { rows, column, columns } = await calibrationRegion(who, kspace, mask, [ny, CALIBRATION_SIZE], run);
  if (rows < ny)
    throw new LarmorError(
      'ERR_CALIBRATION',
      `${who}: needs whole readouts at the centre, found ${rows} of ${ny} samples; use the method svd`,
    );
  const all = complexZeros([ny, coils, coils]);
  const threads = threadCount(run);
  const [count, keptEnergy] = await runJob(1, run, (control) =>
    binding.geometricCompression(
      control,
      kspace.data,
      coils,
      ny,
      nx,
      column,
      columns,
      window,
      wanted.coils ?? 0,
      wanted.energy,
      all.data,
      threads,
    ),
  );
  const matrices = { data: all.data.slice(0, 2 * ny * count * coils), shape: [ny, count, coils] };
  return { method: 'geometric', matrices, coils: count, keptEnergy };
}

/**
 * K-space of the virtual coils: [virtual coil, ky, kx].
 *
 * @throws LarmorError `ERR_SHAPE` when the compression was made for another number of coils or readout. `signal.reason` when aborted.
 */
export async function compressCoils(
  kspace: ComplexArray,
  { matrices }: CoilCompression,
  options: RunOptions = {},
): Promise<ComplexArray> {
  const [coils, ny] = expectKspace('compressCoils', kspace);
  const { shape } = matrices;
  if (shape.at(-1) !== coils || (shape.length === 3 && shape[0] !== ny))
    throw new LarmorError(
      'ERR_SHAPE',
      `compressCoils: matrices ${formatShape(shape)} do not fit kspace ${formatShape(kspace.shape)}`,
    );
  return await applyCoilMatrices(kspace, matrices, options);
}

/** Checks the options every method has and completes them. */
function expectSize(who: string, coils: number, options: CompressionOptions): { coils?: number; energy: number } {
  const { coils: wanted, energy = ENERGY } = options;
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1 && wanted <= coils))
    throw new LarmorError('ERR_ARGUMENT', `${who}: coils must be an integer from 1 to ${coils}, got ${wanted}`);
  if (!(energy > 0 && energy <= 1))
    throw new LarmorError('ERR_ARGUMENT', `${who}: energy must be above 0 and at most 1, got ${energy}`);
  return { ...(wanted !== undefined && { coils: wanted }), energy };
}

async function calibrationRegion(
  who: string,
  kspace: ComplexArray,
  mask: SamplingMask | undefined,
  largest: readonly [number, number],
  options: RunOptions,
): Promise<CalibrationRegion> {
  const region = await findCalibrationRegion(kspace, mask, largest, options);
  if (region.rows * region.columns === 0)
    throw new LarmorError('ERR_CALIBRATION', `${who}: the centre of k-space was not measured; turn compression off`);
  return region;
}
