// BART's pairs of files: NAME.hdr with the dimensions as text, NAME.cfl with complex64 values, first dimension fastest.
import { open, readFile } from 'node:fs/promises';
import { type ComplexArray, formatShape, points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { writeFileAtomically } from './atomic-write.js';
import { readFailure } from './file-errors.js';
import { readBytes, withInput } from './input-file.js';

/** Dimensions of BART's arrays. */
const RANK = 16;

/** Longest header read; it may hold the commands that made the data. */
const MAX_HEADER_BYTES = 2 ** 20;

/** Whether a path names one file of a pair. */
export function isCflPath(path: string): boolean {
  return /\.(cfl|hdr)$/.test(path);
}

/** The two files of a pair, given either or their common name. */
function pairOf(path: string): { cfl: string; hdr: string } {
  const base = isCflPath(path) ? path.slice(0, -4) : path;
  return { cfl: `${base}.cfl`, hdr: `${base}.hdr` };
}

/** A pair opened for reading. */
export interface CflFile extends AsyncDisposable {
  /** Of the values. */
  readonly path: string;
  /** 16 lengths, BART's order. */
  readonly dimensions: readonly number[];
  /** `count` values from value `first` on, interleaved re, im. @throws LarmorError `ERR_CLOSED`; `ERR_FILE_FORMAT`. */
  read(first: number, count: number): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/**
 * Opens a pair.
 *
 * @param path Either file, or their name without ending.
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when the header has no dimensions or the values are not as many.
 */
export async function openCfl(path: string): Promise<CflFile> {
  const { cfl, hdr } = pairOf(path);
  const text = await withInput(hdr, async (_, bytes) => {
    if (bytes > MAX_HEADER_BYTES) throw new LarmorError('ERR_FILE_FORMAT', `${hdr} has ${bytes} bytes, too many`);
    return readFile(hdr, 'latin1');
  });
  const dimensions = parseDimensions(hdr, text);
  const want = 8 * points(dimensions);
  const bytes = await withInput(cfl, async (_, size) => size);
  if (bytes !== want)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${cfl} has ${bytes} bytes, its header ${formatShape(dimensions)} wants ${want}`,
    );
  const file = await open(cfl, 'r').catch((error: unknown) => {
    throw readFailure(cfl, error);
  });
  return {
    path: cfl,
    dimensions,
    async read(first, count) {
      const bytes = await readBytes(file, 8 * first, 8 * count).catch((error: unknown) => {
        throw readFailure(cfl, error);
      });
      return new Float32Array(bytes.buffer);
    },
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** The line after `# Dimensions`; those left out are 1. */
function parseDimensions(hdr: string, text: string): number[] {
  const line = /^# Dimensions[^\n]*\n([^\n]*)/m.exec(text)?.[1].trim() ?? '';
  const given = line === '' ? [] : line.split(/\s+/).map(Number);
  const good = given.length >= 1 && given.length <= RANK && given.every((n) => Number.isSafeInteger(n) && n >= 1);
  if (!good || !Number.isSafeInteger(8 * points(given)))
    throw new LarmorError('ERR_FILE_FORMAT', `${hdr} has no line of 1 to 16 positive lengths after "# Dimensions"`);
  return Array.from({ length: RANK }, (_, i) => given[i] ?? 1);
}

/**
 * Reads a pair whole. The shape is BART's dimensions last to first, without leading ones, as larmor's last axis is the fastest.
 *
 * @throws as `openCfl`.
 * @example const maps = await readCfl('maps'); // BART's [x, y, 1, coil] has the shape [coil, 1, y, x]
 */
export async function readCfl(path: string): Promise<ComplexArray> {
  const file = await openCfl(path);
  try {
    const shape = [...file.dimensions].reverse();
    const first = shape.findIndex((n) => n > 1);
    return { data: await file.read(0, points(shape)), shape: shape.slice(first < 0 ? RANK - 1 : first) };
  } finally {
    await file.close();
  }
}

/**
 * Writes a pair, each file whole or not at all; BART's dimensions are those of the shape, last to first.
 *
 * @throws LarmorError `ERR_SHAPE` when data and shape disagree or there are more than 16 axes; `ERR_FILE_WRITE`.
 */
export async function writeCfl(path: string, { data, shape }: ComplexArray): Promise<void> {
  if (shape.length > RANK || data.length !== 2 * points(shape))
    throw new LarmorError(
      'ERR_SHAPE',
      `writeCfl: ${data.length} floats do not make an array of shape ${formatShape(shape)}`,
    );
  const { cfl, hdr } = pairOf(path);
  const dimensions: Shape = [...shape].reverse();
  const padded = Array.from({ length: RANK }, (_, i) => dimensions[i] ?? 1);
  await writeFileAtomically(cfl, [data]);
  await writeFileAtomically(hdr, `# Dimensions\n${padded.join(' ')} \n`);
}
