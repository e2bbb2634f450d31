// The sampling mask of a scan: as its file states it, or read off where k-space is not zero.
import { formatShape, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { expectMask, type SamplingMask } from '../sampling/mask.js';

type Columns = readonly [first: number, end: number];
type Matrix = readonly [ky: number, kx: number];

/** Zeros among the samples of measured lines that do not yet make a point mask: coarsely rounded data hold some. */
const MAX_STRAY_ZEROS = 0.05;

/**
 * The mask a dataset holds: 0 and 1 per column or per point, whatever singleton axes it carries.
 *
 * @returns undefined when every acquired column is sampled.
 * @throws LarmorError `ERR_MASK` when shape or values are wrong, or nothing is sampled.
 */
export function maskFromDataset(
  path: string,
  values: Float32Array,
  shape: Shape,
  [ky, kx]: Matrix,
  columns: Columns,
): SamplingMask | undefined {
  const lines = values.length === kx && shape.every((n) => n === 1 || n === kx);
  if (!lines && shape.filter((n) => n !== 1).join() !== [ky, kx].filter((n) => n !== 1).join())
    throw new LarmorError(
      'ERR_MASK',
      `${path}: mask must have shape [${kx}] or [${ky},${kx}] as its k-space, its shape is ${formatShape(shape)}`,
    );
  const bad = values.find((value) => value !== 0 && value !== 1);
  if (bad !== undefined) throw new LarmorError('ERR_MASK', `${path}: mask must hold 0 and 1 only, it holds ${bad}`);
  const mask: SamplingMask = { data: Uint8Array.from(values), shape: lines ? [kx] : [ky, kx] };
  expectMask(path, mask, ky, kx);
  return samplesAll(mask, columns) ? undefined : mask;
}

/**
 * The mask that `support` (1 where k-space is not zero, [ky, kx]) suggests.
 *
 * @returns undefined when every acquired column is sampled; a line mask where whole columns are, else a point mask.
 * @throws LarmorError `ERR_MASK` when k-space is zero throughout.
 */
export function inferMask(
  path: string,
  support: Uint8Array,
  [ky, kx]: Matrix,
  columns: Columns,
): SamplingMask | undefined {
  const lines = new Uint8Array(kx);
  let samples = 0;
  for (let i = 0; i < support.length; i += 1) {
    lines[i % kx] |= support[i];
    samples += support[i];
  }
  if (samples === 0) throw new LarmorError('ERR_MASK', `${path}: k-space of the middle slice is zero throughout`);
  const inLines = ky * lines.reduce((sum, bit) => sum + bit, 0);
  const byLines = samples >= (1 - MAX_STRAY_ZEROS) * inLines;
  const mask: SamplingMask = byLines ? { data: lines, shape: [kx] } : { data: support, shape: [ky, kx] };
  return samplesAll(mask, columns) ? undefined : mask;
}

/**
 * The mask of measured positions, `support` [row, column] of 0 and 1.
 *
 * @returns undefined when every acquired column is sampled; a line mask where all rows are alike, else a point mask.
 */
export function exactMask(support: Uint8Array, [rows, kx]: Matrix, columns: Columns): SamplingMask | undefined {
  const alike = support.every((bit, i) => bit === support[i % kx]);
  const mask: SamplingMask = alike ? { data: support.slice(0, kx), shape: [kx] } : { data: support, shape: [rows, kx] };
  return samplesAll(mask, columns) ? undefined : mask;
}

function samplesAll({ data, shape }: SamplingMask, [first, end]: Columns): boolean {
  const kx = shape[shape.length - 1];
  return data.every((bit, i) => bit === 1 || i % kx < first || i % kx >= end);
}
