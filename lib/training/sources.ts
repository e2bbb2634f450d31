// Where training slices come from: procedural anatomies, magnitude volumes put through a simulated scanner, or scans.
import type { ComplexArray, RealArray } from '../arrays/complex-array.js';
import { MT19937 } from '../arrays/mt19937.js';
import { sliceAt } from '../arrays/slices.js';
import { LarmorError } from '../errors.js';
import { readNifti } from '../io/nifti.js';
import { openScan } from '../io/scan.js';
import type { RunOptions } from '../jobs.js';
import { augmentSlice, objectMedian, resizeSlices } from '../simulation/magnitude.js';
import { type PhantomFamily, renderPhantom } from '../simulation/phantom.js';
import { SimulatedScanner, sliceHeight } from '../simulation/scan.js';
import type { SelectedScan } from './scan-selection.js';

/** Fully sampled slices of one size. */
export interface SliceSource {
  readonly length: number;
  readonly coils: number;
  /** [ky, kx]. */
  readonly matrix: readonly [number, number];
  /** K-space [coil, ky, kx]; the same for the same index. */
  read(index: number, options?: RunOptions): Promise<ComplexArray>;
}

/** How simulated slices are scanned. */
export interface ScannerOptions {
  /** Side of k-space. */
  readonly size: number;
  readonly coils: number;
  /** Least and largest ratio of the object's median to one coil's noise; drawn for every slice. */
  readonly snr: readonly [number, number];
  /** Strength of the phase, as `SimulationOptions` has it. */
  readonly phase?: number | undefined;
  readonly seed: number;
}

/** Anatomies are drawn this much finer than k-space, so that edges ring as a scanner's do. */
const OVERSAMPLING = 2;

async function scanned(
  object: RealArray,
  z: number,
  random: MT19937,
  scanner: ScannerOptions,
  options: RunOptions,
): Promise<ComplexArray> {
  const { coils, size, snr, phase } = scanner;
  const level = random.uniform(snr[0], snr[1]);
  const seed = random.uint32();
  const simulated = new SimulatedScanner(objectMedian(object), { coils, size, snr: level, phase, seed });
  return (await simulated.scan(object, z, options)).kspace;
}

/** Slices of random subjects, each with its own coils, phase and noise. */
export function phantomSource({
  families,
  subjects,
  slices,
  ...scanner
}: ScannerOptions & {
  readonly families: readonly PhantomFamily[];
  readonly subjects: number;
  /** Per subject. */
  readonly slices: number;
}): SliceSource {
  const { size, coils, seed } = scanner;
  let latest: { subject: number; volume: RealArray } | undefined;
  return {
    length: subjects * slices,
    coils,
    matrix: [size, size],
    async read(index, options = {}) {
      const subject = Math.floor(index / slices);
      if (latest?.subject !== subject) {
        const family = families[subject % families.length];
        const phantom = { family, seed: [seed, subject], size: OVERSAMPLING * size, slices };
        latest = { subject, volume: await renderPhantom(phantom, { signal: options.signal }) };
      }
      const random = new MT19937([seed, subject, index, 1]);
      return scanned(
        sliceAt(latest.volume, index % slices),
        sliceHeight(index % slices, slices),
        random,
        scanner,
        options,
      );
    },
  };
}

/** Slices of magnitude volumes [first, end) given as NIfTI files, each varied at random `variants` times. */
export async function volumeSource({
  volumes,
  variants,
  ...scanner
}: ScannerOptions & {
  readonly volumes: readonly {
    readonly path: string;
    readonly slices?: readonly [first: number, end: number] | undefined;
  }[];
  /** Scans of every slice; the first shows it as it is. */
  readonly variants: number;
}): Promise<SliceSource> {
  const { size, coils, seed } = scanner;
  const objects: RealArray[] = [];
  for (const { path, slices } of volumes) {
    const { volume, spacing } = await readNifti(path);
    const [first, end] = slices ?? [0, volume.shape[0]];
    if (first < 0 || first >= end || end > volume.shape[0])
      throw new LarmorError(
        'ERR_CONFIG',
        `${path}: slices must lie within 0..${volume.shape[0]}, got ${first}..${end}`,
      );
    // Interpolation by the scanner may have left magnitudes below zero.
    const magnitudes = { data: volume.data.map((value) => Math.max(0, value)), shape: volume.shape };
    const resized = await resizeSlices(magnitudes, size, [spacing[1], spacing[2]]);
    for (let s = first; s < end; s++) objects.push(sliceAt(resized, s));
  }
  return {
    length: objects.length * variants,
    coils,
    matrix: [size, size],
    async read(index, options = {}) {
      const random = new MT19937([seed, index, 2]);
      const object = objects[index % objects.length];
      return scanned(index < objects.length ? object : augmentSlice(random, object), 0, random, scanner, options);
    },
  };
}

/**
 * Slices of fully sampled scans: all of them, or [first, end) where a scan is given with these.
 *
 * @throws LarmorError `ERR_CONFIG` when a scan is undersampled or differs from the first in coils or matrix; as `openScan`.
 */
export async function scanSource(
  scans: readonly (string | SelectedScan)[],
  options: Pick<RunOptions, 'signal'> = {},
): Promise<SliceSource> {
  const index: { path: string; slice: number }[] = [];
  let first: { path: string; coils: number; matrix: readonly [number, number] } | undefined;
  for (const entry of scans) {
    const path = typeof entry === 'string' ? entry : entry.path;
    await using scan = await openScan(path, options);
    const { coils, matrix, slices, fullySampled } = scan;
    if (!fullySampled)
      throw new LarmorError('ERR_CONFIG', `training: ${path} is undersampled; supervised data must be whole`);
    first ??= { path, coils, matrix };
    if (coils !== first.coils || String(matrix) !== String(first.matrix))
      throw new LarmorError(
        'ERR_CONFIG',
        `training: all scans must have one size; ${path} has ${coils} coils of [${matrix}], ${first.path} ${first.coils} of [${first.matrix}]`,
      );
    const [begin, end] = typeof entry === 'string' ? [0, slices] : entry.slices;
    for (let slice = begin; slice < end; slice++) index.push({ path, slice });
  }
  if (!first) throw new LarmorError('ERR_CONFIG', 'training: no scans given');
  return {
    length: index.length,
    coils: first.coils,
    matrix: first.matrix,
    async read(i, { signal } = {}) {
      await using scan = await openScan(index[i].path, { signal });
      return await scan.readKspace(index[i].slice, { signal });
    },
  };
}

/**
 * The slices of several sources, one source after the other.
 *
 * @throws LarmorError `ERR_CONFIG` when they differ in coils or matrix.
 */
export function mixedSource(sources: readonly SliceSource[]): SliceSource {
  const [{ coils, matrix }] = sources;
  const other = sources.find((source) => source.coils !== coils || String(source.matrix) !== String(matrix));
  if (other)
    throw new LarmorError(
      'ERR_CONFIG',
      `training: mixed sources must have one size; got ${coils} coils of [${matrix}] and ${other.coils} of [${other.matrix}]`,
    );
  return {
    length: sources.reduce((total, { length }) => total + length, 0),
    coils,
    matrix,
    read(index, options) {
      let position = index;
      const source = sources.find(({ length }) => {
        position -= length;
        return position < 0;
      }) as SliceSource;
      return source.read(position + source.length, options);
    },
  };
}
