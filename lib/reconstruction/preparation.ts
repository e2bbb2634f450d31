// What is done to the k-space of every slice before its method sees it: noise made white, then coils compressed.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexUninitialised } from '../arrays/complex-array.js';
import { componentAt } from '../arrays/slices.js';
import {
  COMPRESSION_METHODS,
  type CoilCompression,
  type CompressionMethod,
  compressCoils,
  geometricCompression,
  svdCompression,
} from '../calibration/coil-compression.js';
import { applyCoilMatrices } from '../calibration/coil-matrices.js';
import { type NoiseCovariance, noiseCovariance, whiteningMatrix } from '../calibration/noise.js';
import { noiseFromBackground } from '../calibration/noise-region.js';
import { LarmorError } from '../errors.js';
import type { Scan } from '../io/scan.js';
import type { RunOptions } from '../jobs.js';
import { fft2, ifft2 } from '../operators/fft2.js';
import type { SamplingMask } from '../sampling/mask.js';
import { combineComponents } from './images.js';

export const WHITENINGS = ['auto', 'noise-scan', 'background', 'none'] as const;

/**
 * Where the noise covariance comes from, by which coils are whitened. `noise-scan`: the file's. `background`: the edges of the middle
 * slice's image, where nothing else is. `auto`: the noise scan where the file has one, else no whitening.
 */
export type Whitening = (typeof WHITENINGS)[number];

/** How coils are compressed. */
export interface CompressionChoice {
  /** Default: svd. */
  readonly method?: CompressionMethod | undefined;
  /** Virtual coils. Default: as many as hold `energy`. */
  readonly coils?: number | undefined;
  /** Share of the energy of the centre of k-space to keep. Default: 0.999. */
  readonly energy?: number | undefined;
}

/** What can be chosen about the preparation of k-space. */
export interface PreparationOptions {
  /** Default: auto. */
  readonly whiten?: Whitening | undefined;
  /** A number of virtual coils, or how to choose it; `auto`: 16 of more than 16 coils; false: none. Default: auto. */
  readonly compress?: 'auto' | number | CompressionChoice | false | undefined;
}

/** Checked options; `auto` is decided. */
export interface PreparationPlan {
  readonly whiten: Exclude<Whitening, 'auto'>;
  readonly compress: CompressionChoice | undefined;
}

/** What is known of the noise of a scan: goes into the manifest. */
export interface NoiseRecord {
  readonly source: 'noise-scan' | 'background';
  readonly samples: number;
  /** Largest over smallest eigenvalue of the covariance. */
  readonly condition: number;
  readonly warnings: readonly string[];
}

/** How the coils of a slice were compressed: goes into the manifest. */
export interface CompressionRecord {
  readonly method: CompressionMethod;
  /** Virtual coils. */
  readonly coils: number;
  /** Share of the energy of the centre of k-space they hold. */
  readonly keptEnergy: number;
}

/**
 * With this many virtual coils by SVD, errors of CG-SENSE stay within 0.3 % of those with all 20 to 64 coils, at 2- to 6-fold
 * acceleration, in a half to a twentieth of the time. With 16 coils or fewer there is less to gain than to lose.
 */
const AUTOMATIC_COILS = 16;

/** @throws LarmorError `ERR_ARGUMENT`; `ERR_NOISE` where a noise scan is asked for that the file does not have. */
export async function planPreparation(
  scan: Scan,
  { whiten = 'auto', compress = 'auto' }: PreparationOptions,
  options: Pick<RunOptions, 'signal'>,
): Promise<PreparationPlan> {
  if (!WHITENINGS.includes(whiten)) fail('whiten', `one of ${WHITENINGS.join(', ')}`, whiten);
  const plan = { whiten, compress: compressionChoice(scan.coils, compress) };
  if (whiten !== 'auto' && whiten !== 'noise-scan') return { ...plan, whiten };
  if (await scan.readNoise(options)) return { ...plan, whiten: 'noise-scan' };
  if (whiten === 'auto') return { ...plan, whiten: 'none' };
  throw new LarmorError(
    'ERR_NOISE',
    `reconstruct: ${scan.name} has no noise scan; whiten by "background", or not at all with "none"`,
  );
}

function compressionChoice(
  coils: number,
  compress: NonNullable<PreparationOptions['compress']>,
): CompressionChoice | undefined {
  if (compress === false) return undefined;
  if (compress === 'auto') return coils > AUTOMATIC_COILS ? { method: 'svd', coils: AUTOMATIC_COILS } : undefined;
  const choice = typeof compress === 'number' ? { coils: compress } : compress;
  if (typeof choice !== 'object' || choice === null)
    fail('compress', '"auto", a number of virtual coils, an object or false', compress);
  const { method = 'svd', coils: wanted, energy, ...unknown } = choice;
  const stray = Object.keys(unknown)[0];
  if (stray !== undefined) fail('a field of compress', 'one of method, coils, energy', stray);
  if (!COMPRESSION_METHODS.includes(method))
    fail('compress.method', `one of ${COMPRESSION_METHODS.join(', ')}`, method);
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1 && wanted <= coils))
    fail('compress', `an integer from 1 to ${coils}, the scan's coils`, wanted);
  if (energy !== undefined && !(energy > 0 && energy <= 1)) fail('compress.energy', 'above 0 and at most 1', energy);
  if (wanted !== undefined && energy !== undefined) fail('compress', 'either coils or energy', 'both');
  return { method, coils: wanted, energy };
}

function fail(option: string, want: string, got: unknown): never {
  throw new LarmorError('ERR_ARGUMENT', `reconstruct: ${option} must be ${want}, got ${String(got)}`);
}

/** Most coils that methods will see. */
export function preparedCoils(scan: Scan, { compress }: PreparationPlan): number {
  return compress?.coils ?? scan.coils;
}

/** Makes the noise of a scan's slices white, all by the same matrix, and compresses the coils of each slice. */
export class Preparation {
  readonly #compress: CompressionChoice | undefined;
  readonly #whitening: ComplexArray | undefined;

  private constructor(
    { compress }: PreparationPlan,
    whitening: ComplexArray | undefined,
    /** Covariance of the noise of the scan's coils; none where nothing was to be whitened. */
    readonly covariance: NoiseCovariance | undefined,
    readonly noise: NoiseRecord | undefined,
  ) {
    this.#compress = compress;
    this.#whitening = whitening;
  }

  /**
   * Measures the noise of the scan.
   *
   * @throws LarmorError as `noiseCovariance` and `noiseFromBackground`.
   */
  static async start(scan: Scan, plan: PreparationPlan, options: RunOptions): Promise<Preparation> {
    const measured = await measureNoise(scan, plan.whiten, options);
    if (!measured) return new Preparation(plan, undefined, undefined, undefined);
    const { source, covariance } = measured;
    const { samples, condition, warnings } = covariance;
    const whitening = await whiteningMatrix(covariance, options);
    return new Preparation(plan, whitening, covariance, { source, samples, condition, warnings });
  }

  /** K-space [coil, ky, kx] with white noise; itself where nothing is to be whitened. */
  async whiten(kspace: ComplexArray, options: RunOptions): Promise<ComplexArray> {
    return this.#whitening ? await applyCoilMatrices(kspace, this.#whitening, options) : kspace;
  }

  /** How to compress the coils of whitened k-space [coil, ky, kx], zero where the mask is; undefined where they stay. */
  async compression(
    kspace: ComplexArray,
    mask: SamplingMask,
    options: RunOptions,
  ): Promise<CoilCompression | undefined> {
    if (!this.#compress || this.#compress.coils === kspace.shape[0]) return undefined;
    const { method, coils, energy } = this.#compress;
    const compress = method === 'geometric' ? geometricCompression : svdCompression;
    return await compress(kspace, { coils, energy, mask, ...options });
  }

  /**
   * Maps [set, coil, y, x] of the scan's coils as maps of the coils that methods see: [set, virtual coil, y, x], of the norm they had.
   */
  async combineMaps(
    maps: ComplexArray,
    compression: CoilCompression | undefined,
    options: RunOptions,
  ): Promise<ComplexArray> {
    if (!this.#whitening && !compression) return maps;
    const [sets, , ...matrix] = maps.shape;
    const coils = compression?.coils ?? maps.shape[1];
    const combined = complexUninitialised([sets, coils, ...matrix]);
    for (let set = 0; set < sets; set += 1) {
      const given = componentAt(maps, set);
      // Matrices act on k-space, as those of geometric compression differ along the readout.
      const white = await this.whiten(await fft2(given, options), options);
      const seen = await ifft2(compression ? await compressCoils(white, compression, options) : white, options);
      await matchNorms(seen, given);
      componentAt(combined, set).data.set(seen.data);
    }
    return combined;
  }
}

/** Scales maps [coil, y, x] at every pixel to the norm over coils of others. */
async function matchNorms(maps: ComplexArray, wanted: ComplexArray): Promise<void> {
  const [norms, wantedNorms] = [await combineComponents(maps), await combineComponents(wanted)];
  const points = norms.data.length;
  for (let coil = 0; coil < maps.shape[0]; coil += 1) {
    for (let i = 0; i < points; i += 1) {
      const scale = norms.data[i] > 0 ? wantedNorms.data[i] / norms.data[i] : 0;
      maps.data[2 * (coil * points + i)] *= scale;
      maps.data[2 * (coil * points + i) + 1] *= scale;
    }
    await nextTurn();
  }
}

/** What goes into the manifest. */
export function compressionRecord(compression: CoilCompression | undefined): CompressionRecord | undefined {
  if (!compression) return undefined;
  const { method, coils, keptEnergy } = compression;
  return { method, coils, keptEnergy };
}

/** The noise of a scan from one source; undefined where there is none, or nothing is to be whitened. */
export async function measureNoise(
  scan: Scan,
  whiten: PreparationPlan['whiten'],
  options: RunOptions,
): Promise<{ source: NoiseRecord['source']; covariance: NoiseCovariance } | undefined> {
  if (whiten === 'none') return undefined;
  if (whiten === 'background') {
    const kspace = await scan.readKspace(Math.floor(scan.slices / 2), options);
    return { source: 'background', covariance: await noiseFromBackground(kspace, { mask: scan.mask, ...options }) };
  }
  const samples = await scan.readNoise(options);
  return samples && { source: 'noise-scan', covariance: await noiseCovariance(samples, options) };
}
