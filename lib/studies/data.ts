// The data of a study: sources below the data folder, told apart by their content, and the slices of tests.
import { isAbsolute, join } from 'node:path';
import { type ComplexArray, complexUninitialised } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { selectScans } from '../training/scan-selection.js';
import { openSource, type SourceConfig, scansOf } from '../training/source-config.js';
import type { SliceSource } from '../training/sources.js';
import type { StudyTest } from './config.js';
import { fileFingerprint } from './digest.js';

/** `source` with its paths below `folder`. */
function inFolder(source: SourceConfig, folder: string): SourceConfig {
  const below = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  switch (source.source) {
    case 'phantom':
      return source;
    case 'volumes':
      return { ...source, volumes: source.volumes.map((volume) => ({ ...volume, path: below(volume.path) })) };
    case 'scans':
      return {
        ...source,
        paths: source.paths.map((entry) =>
          typeof entry === 'string' ? below(entry) : { ...entry, path: below(entry.path) },
        ),
      };
    case 'folder':
      return { ...source, folder: below(source.folder) };
    case 'mixed':
      return { ...source, sources: source.sources.map((part) => inFolder(part, folder) as typeof part) };
  }
}

/** `source` with the scans of folders picked and named one by one. */
async function picked(source: SourceConfig, options: Pick<RunOptions, 'signal'>): Promise<SourceConfig> {
  switch (source.source) {
    case 'folder': {
      const scans = await selectScans(source, options);
      return {
        source: 'scans',
        paths: scans.map(({ path, slices: [first, end] }) => ({ path, slices: [first, end] })),
      };
    }
    case 'mixed': {
      const sources = await Promise.all(source.sources.map((part) => picked(part, options)));
      return { ...source, sources: sources as typeof source.sources };
    }
    default:
      return source;
  }
}

/** The files of a source without folders. */
async function filesOf(source: SourceConfig): Promise<string[]> {
  switch (source.source) {
    case 'volumes':
      return source.volumes.map(({ path }) => path);
    case 'scans':
      return (await scansOf(source)).map((scan) => (typeof scan === 'string' ? scan : scan.path));
    case 'mixed':
      return (await Promise.all(source.sources.map(filesOf))).flat();
    default:
      return [];
  }
}

/** Knows the sources below a data folder and their content; folders are searched, and files read for that, once. */
export class StudyData {
  readonly #folder: string;
  readonly #sources = new Map<string, Promise<SourceConfig>>();
  readonly #files = new Map<string, Promise<string>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `source` with its paths below the data folder, and scans that it picks named one by one. @throws as `selectScans`. */
  resolve(source: SourceConfig, { signal }: Pick<RunOptions, 'signal'> = {}): Promise<SourceConfig> {
    const key = JSON.stringify(source);
    const resolved = this.#sources.get(key) ?? picked(inFolder(source, this.#folder), { signal });
    this.#sources.set(key, resolved);
    return resolved;
  }

  /** What JSON says of a source and the content of its files, wherever these lie. @throws as `fileFingerprint`, `selectScans`. */
  identity(source: SourceConfig, options: Pick<RunOptions, 'signal'> = {}): Promise<object> {
    return this.looking(async () => {
      const files = await filesOf(await this.resolve(source, options));
      const contents: string[] = [];
      for (const path of files) contents.push(await this.#fingerprint(path, options.signal));
      return { source, contents };
    });
  }

  /** Runs what opens data; where a file is not found the error says where it was looked for. */
  async looking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LarmorError) || error.code !== 'ERR_FILE_NOT_FOUND') throw error;
      const folder = JSON.stringify(this.#folder);
      const hint = `the paths of a study begin in its data folder, now ${folder}: name another with --data`;
      throw new LarmorError(error.code, `${error.message}; ${hint}`, { cause: error });
    }
  }

  #fingerprint(path: string, signal: AbortSignal | undefined): Promise<string> {
    const known = this.#files.get(path) ?? fileFingerprint(path, signal);
    this.#files.set(path, known);
    return known;
  }
}

/** The fully sampled slices of a test, read when asked for. @throws as `openSource`. */
export async function openTest(
  { name, transpose, centre }: Pick<StudyTest, 'name' | 'transpose' | 'centre'>,
  source: SourceConfig,
  options: RunOptions = {},
): Promise<Pick<SliceSource, 'length' | 'read'>> {
  const opened = await openSource(source, options);
  return {
    length: opened.length,
    async read(index, reading = {}) {
      const kspace = await opened.read(index, reading);
      const turned = transpose ? transposed(kspace) : kspace;
      return centre ? central(turned, centre, name) : turned;
    },
  };
}

/** K-space [coil, ky, kx] with its axes exchanged. */
export function transposed({ data, shape: [coils, rows, columns] }: ComplexArray): ComplexArray {
  const result = complexUninitialised([coils, columns, rows]);
  for (let c = 0; c < coils; c += 1)
    for (let y = 0; y < columns; y += 1)
      for (let x = 0; x < rows; x += 1) {
        const from = 2 * ((c * rows + x) * columns + y);
        const to = 2 * ((c * columns + y) * rows + x);
        result.data[to] = data[from];
        result.data[to + 1] = data[from + 1];
      }
  return result;
}

/** The central height x width samples of k-space. @throws LarmorError `ERR_CONFIG` when it has fewer. */
export function central(
  { data, shape: [coils, rows, columns] }: ComplexArray,
  [height, width]: readonly [number, number],
  test: string,
): ComplexArray {
  if (height > rows || width > columns)
    throw new LarmorError('ERR_CONFIG', `${test}: centre [${height},${width}] exceeds k-space of [${rows},${columns}]`);
  // Zero frequency, at floor(n / 2), stays in the middle.
  const top = (rows >> 1) - (height >> 1);
  const left = (columns >> 1) - (width >> 1);
  const result = complexUninitialised([coils, height, width]);
  for (let row = 0; row < coils * height; row += 1) {
    const from = 2 * ((Math.floor(row / height) * rows + top + (row % height)) * columns + left);
    result.data.set(data.subarray(from, from + 2 * width), 2 * row * width);
  }
  return result;
}
