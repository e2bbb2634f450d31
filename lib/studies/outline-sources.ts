// The files and slices that a study's sources come down to.
import { relative } from 'node:path';
import { LarmorError, toLarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { createMask, sampledCount } from '../sampling/mask.js';
import type { TrainingConfig } from '../training/config.js';
import { openSource, type SourceConfig } from '../training/source-config.js';
import type { SliceShape, SliceSource } from '../training/sources.js';
import { StudyData } from './data.js';

/** Slices [first, end) of a file below the data folder. */
export interface FileSlices {
  readonly path: string;
  readonly slices: readonly [first: number, end: number];
}

/** The slices of a source. */
export interface SourceOutline {
  readonly slices: number;
  /** In the order in which they are taken; none of phantoms. */
  readonly files: readonly FileSlices[];
  /** Sizes of k-space, each with its number of slices. */
  readonly sizes: readonly {
    readonly shape: SliceShape;
    readonly slices: number;
    readonly lines?: Lines | undefined;
  }[];
}

/** Lines of a mask that is the same for all slices. */
export interface Lines {
  readonly sampled: number;
  readonly columns: number;
}

/** Opens sources below the data folder and remembers which are missing. */
export class SourceFinder {
  readonly #data: StudyData;
  readonly #missing = new Set<string>();

  constructor(
    readonly folder: string,
    readonly options: Pick<RunOptions, 'signal' | 'threads'>,
  ) {
    this.#data = new StudyData(folder);
  }

  async outline(
    source: SourceConfig,
    lines: (columns: number) => Lines | undefined,
    sizeOf: (shape: SliceShape) => SliceShape = (shape) => shape,
  ): Promise<SourceOutline> {
    try {
      const opened = await openSource(await this.#data.resolve(source, this.options), this.options);
      const sizes = new Map<string, { shape: SliceShape; slices: number; lines?: Lines | undefined }>();
      for (let i = 0; i < opened.length; i += 1) {
        const shape = sizeOf(opened.shape(i));
        const known = sizes.get(String(shape)) ?? { shape, slices: 0, lines: lines(shape[2]) };
        known.slices += 1;
        sizes.set(String(shape), known);
      }
      return { slices: opened.length, files: filesOf(opened, this.folder), sizes: [...sizes.values()] };
    } catch (error) {
      const { code, message } = toLarmorError(error);
      if (code !== 'ERR_FILE_NOT_FOUND') throw error;
      this.#missing.add(message);
      return { slices: 0, files: [], sizes: [] };
    }
  }

  /** @throws LarmorError `ERR_FILE_NOT_FOUND` with everything that was missing. */
  expectAll(): void {
    if (this.#missing.size > 0) throw new LarmorError('ERR_FILE_NOT_FOUND', [...this.#missing].join('\n'));
  }
}

/** Runs of slices of the same file; slices that come again, varied, count once. */
function filesOf(source: SliceSource, folder: string): FileSlices[] {
  const runs: { path: string; slices: [number, number] }[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < source.length; i += 1) {
    const place = source.place?.(i);
    if (!place || seen.has(`${place.slice} ${place.path}`)) continue;
    seen.add(`${place.slice} ${place.path}`);
    const path = relative(folder, place.path);
    const last = runs.at(-1);
    if (last?.path === path && last.slices[1] === place.slice) last.slices[1] += 1;
    else runs.push({ path, slices: [place.slice, place.slice + 1] });
  }
  return runs;
}

type Sampling = TrainingConfig['undersampling'];

/** The lines of the one mask of a width; none where every slice has its own. */
export function fixedLines(sampling: Partial<Sampling>): (columns: number) => Lines | undefined {
  const { fixed = false, seed = 0, type = 'random', acceleration = 4, centerFraction = 0.08 } = sampling;
  return (columns) => {
    if (!fixed) return undefined;
    return { sampled: sampledCount(createMask({ type, acceleration, centerFraction, columns, seed })), columns };
  };
}
