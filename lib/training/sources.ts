// Where training slices come from: procedural anatomies, magnitude volumes put through a simulated scanner, or scans.
import type { ComplexArray, RealArray } from '../arrays/complex-array.js';
import { MT19937 } from '../arrays/mt19937.js';
import { sliceAt } from '../arrays/slices.js';
import { LarmorError } from '../errors.js';
import { readNifti } from '../io/nifti.js';
import { openScan, type Scan } from '../io/scan.js';
import type { RunOptions } from '../jobs.js';
import type { SamplingMask } from '../sampling/mask.js';
import { augmentSlice, objectMedian, resizeSlices } from '../simulation/magnitude.js';
import { type PhantomFamily, renderPhantom } from '../simulation/phantom.js';
import { SimulatedScanner, sliceHeight } from '../simulation/scan.js';
import type { SelectedScan } from './scan-selection.js';

/** Lengths of a slice's k-space: coil, ky, kx. */
export type SliceShape = readonly [coils: number, height: number, width: number];

/** A slice of a file. */
export interface SlicePlace {
  readonly path: string;
  readonly slice: number;
}

/** Slices, which may differ in size. */
export interface SliceSource {
  readonly length: number;
  shape(index: number): SliceShape;
  /** What a slice is called in messages. */
  name?(index: number): string;
  /** Where a slice comes from, if from a file. */
  place?(index: number): SlicePlace | undefined;
  /** K-space [coil, ky, kx]; the same for the same index. */
  read(index: number, options?: RunOptions): Promise<ComplexArray>;
  /** The samples of a slice that is undersampled: [kx] or [ky, kx]. */
  mask?(index: number): SamplingMask | undefined;
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
    shape: () => [coils, size, size],
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
  const places: SlicePlace[] = [];
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
    for (let s = first; s < end; s++) {
      objects.push(sliceAt(resized, s));
      places.push({ path, slice: s });
    }
  }
  return {
    length: objects.length * variants,
    shape: () => [coils, size, size],
    place: (index) => places[index % objects.length],
    async read(index, options = {}) {
      const random = new MT19937([seed, index, 2]);
      const object = objects[index % objects.length];
      return scanned(index < objects.length ? object : augmentSlice(random, object), 0, random, scanner, options);
    },
  };
}

/** Which scans will do. */
export interface ScanSourceOptions extends Pick<RunOptions, 'signal'> {
  /** Default: true. */
  readonly fullySampled?: boolean | undefined;
}

/**
 * Slices of scans, which may differ in size: all of them, or [first, end) where a scan is given with these. Every read opens its file anew.
 *
 * @throws LarmorError `ERR_CONFIG` when there are no scans, or one is undersampled where only `fullySampled` ones will do; as `openScan`. Reads reject with `ERR_FILE_NOT_FOUND` or
 *   `ERR_FILE_FORMAT`, naming the file, when it has vanished or changed since.
 */
export async function scanSource(
  scans: readonly (string | SelectedScan)[],
  { fullySampled = true, ...options }: ScanSourceOptions = {},
): Promise<SliceSource> {
  const index: { path: string; slice: number; shape: SliceShape; mask: SamplingMask | undefined }[] = [];
  for (const entry of scans) {
    const path = typeof entry === 'string' ? entry : entry.path;
    await using scan = await openScan(path, options);
    if (!scan.fullySampled && fullySampled)
      throw new LarmorError(
        'ERR_CONFIG',
        `training: ${path} is undersampled; to train on it give a self-supervised loss, such as ssdu, and a split`,
      );
    const mask = scan.fullySampled ? undefined : scan.mask;
    const [begin, end] = typeof entry === 'string' ? [0, scan.slices] : entry.slices;
    for (let slice = begin; slice < Math.min(end, scan.slices); slice++)
      index.push({ path, slice, shape: sizeOf(scan), mask });
  }
  if (index.length === 0)
    throw new LarmorError('ERR_CONFIG', 'training: no scans given, or none has the slices asked for');
  return {
    length: index.length,
    shape: (i) => index[i].shape,
    name: (i) => `slice ${index[i].slice} of ${index[i].path}`,
    place: (i) => index[i],
    mask: (i) => index[i].mask,
    async read(i, { signal } = {}) {
      const { path, slice, shape } = index[i];
      await using scan = await openScan(path, { signal });
      if (slice >= scan.slices || String(sizeOf(scan)) !== String(shape))
        throw new LarmorError(
          'ERR_FILE_FORMAT',
          `${path} has changed since training began: it held slices of [${shape}], now ${scan.slices} of [${sizeOf(scan)}]`,
        );
      return await scan.readKspace(slice, { signal });
    },
  };
}

const sizeOf = ({ coils, matrix: [ky, kx] }: Scan): SliceShape => [coils, ky, kx];

/** The slices of several sources, one source after the other. */
export function mixedSource(sources: readonly SliceSource[]): SliceSource {
  const locate = (index: number): { source: SliceSource; position: number } => {
    let position = index;
    for (const source of sources) {
      if (position < source.length) return { source, position };
      position -= source.length;
    }
    throw new LarmorError('ERR_ARGUMENT', `training: there is no slice ${index}`);
  };
  return {
    length: sources.reduce((total, { length }) => total + length, 0),
    shape(index) {
      const { source, position } = locate(index);
      return source.shape(position);
    },
    name(index) {
      const { source, position } = locate(index);
      return source.name?.(position) ?? `slice ${position}`;
    },
    place(index) {
      const { source, position } = locate(index);
      return source.place?.(position);
    },
    mask(index) {
      const { source, position } = locate(index);
      return source.mask?.(position);
    },
    read(index, options) {
      const { source, position } = locate(index);
      return source.read(position, options);
    },
  };
}
