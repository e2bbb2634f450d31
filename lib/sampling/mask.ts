// Cartesian sampling masks: which k-space columns or points were measured, and fastMRI's ways to draw them.
import { basename } from 'node:path';
import { MT19937, type Seed, seedFromName } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';

/**
 * Sampled (1) and unsampled (0) k-space positions, shared by all coils.
 *
 * Shape: [kx] selects whole columns (the ky axis, the readout, is free); [ky, kx] selects points, last axis fastest.
 */
export interface SamplingMask {
  readonly data: Uint8Array;
  readonly shape: readonly [number] | readonly [number, number];
}

/** Names of fastMRI's mask classes. */
export const MASK_TYPES = ['random', 'equispaced', 'equispaced_fraction', 'magic', 'magic_fraction'] as const;

/** fastMRI's mask classes: see `createMask`. */
export type MaskType = (typeof MASK_TYPES)[number];

/** What `createMask` draws. */
export interface MaskOptions {
  readonly type: MaskType;
  /** Length of the phase-encode axis kx. */
  readonly columns: number;
  /** Wanted acceleration, at least 1. A list as long as that of `centerFraction`: one pair is drawn. */
  readonly acceleration: number | readonly number[];
  /** Fraction of columns sampled densely at the centre, 0 to 1. */
  readonly centerFraction: number | readonly number[];
  /** Seed of the draw; give either this or `filename`. */
  readonly seed?: Seed | undefined;
  /** File whose base name seeds the draw, as fastMRI does for validation and test data. */
  readonly filename?: string | undefined;
}

/** A drawn line mask together with what was drawn. */
export interface LineMask extends SamplingMask {
  readonly shape: readonly [number];
  /** Columns in the fully sampled centre. */
  readonly lowFrequencies: number;
  readonly acceleration: number;
  readonly centerFraction: number;
}

/** Number of sampled positions. */
export function sampledCount(mask: SamplingMask): number {
  return mask.data.reduce((sum, bit) => sum + bit, 0);
}

/** Whether every position was sampled. */
export function isComplete(mask: SamplingMask): boolean {
  return !mask.data.includes(0);
}

/**
 * Throws unless `mask` selects something of a k-space of `rows` x `columns`.
 *
 * @throws LarmorError `ERR_MASK` if the length differs, a value is not 0 or 1, or nothing is sampled.
 */
export function expectMask(who: string, mask: SamplingMask, rows: number, columns: number): void {
  const got = `[${mask.shape.join(',')}]`;
  const length = mask.shape.length === 1 ? columns : rows * columns;
  const fits = mask.shape.at(-1) === columns && (mask.shape.length === 1 || mask.shape[0] === rows);
  if (!fits || mask.data.length !== length)
    throw new LarmorError(
      'ERR_MASK',
      `${who}: mask must have shape [${columns}] or [${rows},${columns}], got ${got} with ${mask.data.length} values`,
    );
  const bad = mask.data.findIndex((bit) => bit > 1);
  if (bad >= 0)
    throw new LarmorError('ERR_MASK', `${who}: mask must hold 0 and 1 only, got ${mask.data[bad]} at position ${bad}`);
  if (!mask.data.includes(1)) throw new LarmorError('ERR_MASK', `${who}: mask samples nothing: all values are 0`);
}

/** Python's round: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function fail(option: string, want: string, got: unknown): never {
  throw new LarmorError('ERR_ARGUMENT', `createMask: ${option} must be ${want}, got ${String(got)}`);
}

function every(step: number, from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i >= from && (i - from) % step === 0 ? 1 : 0));
}

interface Draw {
  readonly random: MT19937;
  readonly columns: number;
  readonly acceleration: number;
  readonly lowFrequencies: number;
}

/** Each column with the probability that gives columns / acceleration in the mean, centre included. */
function randomLines({ random, columns, acceleration, lowFrequencies }: Draw): Uint8Array {
  const probability = (columns / acceleration - lowFrequencies) / (columns - lowFrequencies);
  return Uint8Array.from({ length: columns }, () => (random.uniform() < probability ? 1 : 0));
}

function equispacedLines({ random, columns, acceleration }: Draw): Uint8Array {
  return every(acceleration, random.integer(0, acceleration), columns);
}

/** Spacing widened so that the centre counts towards the acceleration; positions are rounded, hence not quite even. */
function equispacedFractionLines({ random, columns, acceleration, lowFrequencies }: Draw): Uint8Array {
  const spacing = (acceleration * (lowFrequencies - columns)) / (lowFrequencies * acceleration - columns);
  if (!(spacing >= 0.5 && Number.isFinite(spacing)))
    fail('centerFraction', `below 1/acceleration for type equispaced_fraction`, lowFrequencies / columns);
  const offset = random.integer(0, roundHalfEven(spacing));
  const lines = new Uint8Array(columns);
  const count = Math.ceil((columns - 1 - offset) / spacing);
  // numpy.arange steps by the rounded difference of its first two values.
  const step = offset + spacing - offset;
  for (let i = 0; i < count; ++i) lines[roundHalfEven(offset + i * step)] = 1;
  return lines;
}

/** Positive and negative frequencies offset against each other, so that conjugate symmetry fills the gaps. */
function magicLines({ random, columns, acceleration }: Draw): Uint8Array {
  if (acceleration === 0) return new Uint8Array(columns);
  const offset = random.integer(0, acceleration);
  const even = offset % 2 === 0;
  const negativeLength = columns >> 1;
  const positive = every(acceleration, even ? offset + 1 : offset + 2, columns - negativeLength);
  const negative = every(acceleration, even ? offset + 2 : offset - 1, negativeLength).reverse();
  const lines = new Uint8Array(columns);
  lines.set(negative);
  lines.set(positive, negativeLength);
  return lines;
}

function magicFractionLines(draw: Draw): Uint8Array {
  const remaining = roundHalfEven(draw.columns / draw.acceleration) - draw.lowFrequencies;
  return magicLines({ ...draw, acceleration: remaining > 0 ? roundHalfEven(draw.columns / remaining) : 0 });
}

const LINES: Record<MaskType, (draw: Draw) => Uint8Array> = {
  random: randomLines,
  equispaced: equispacedLines,
  equispaced_fraction: equispacedFractionLines,
  magic: magicLines,
  magic_fraction: magicFractionLines,
};

function lowFrequencyCount(type: MaskType, columns: number, acceleration: number, centerFraction: number): number {
  const wanted = roundHalfEven(columns * centerFraction);
  if (type !== 'magic_fraction') return wanted;
  return Math.max(Math.min(wanted, roundHalfEven(columns / acceleration)), 1);
}

function checkedPairs({
  type,
  acceleration,
  centerFraction,
}: MaskOptions): { acceleration: number; fraction: number }[] {
  const accelerations = [acceleration].flat();
  const fractions = [centerFraction].flat();
  if (accelerations.length === 0 || accelerations.length !== fractions.length)
    fail('centerFraction', `as many values as acceleration (${accelerations.length})`, fractions.length);
  const whole = type === 'equispaced' || type === 'magic';
  return accelerations.map((value, i) => {
    const fraction = fractions[i];
    if (!(value >= 1 && Number.isFinite(value))) fail('acceleration', 'a number >= 1', value);
    if (whole && !Number.isInteger(value)) fail('acceleration', `an integer for type ${type}`, value);
    if (!(fraction >= 0 && fraction <= 1)) fail('centerFraction', 'in [0, 1]', fraction);
    return { acceleration: value, fraction };
  });
}

/**
 * Draws a line mask exactly as fastMRI's mask classes do with the same seed.
 *
 * `random` keeps columns independently; `equispaced` every R-th (the centre comes on top); `equispaced_fraction`
 * stretches the spacing so the whole mask has acceleration R; `magic` and `magic_fraction` offset the two halves to
 * use conjugate symmetry. The central round(columns * centerFraction) columns are always sampled.
 *
 * @throws LarmorError `ERR_ARGUMENT` for options outside their range; `ERR_MASK` if nothing was drawn.
 * @see https://github.com/facebookresearch/fastMRI, fastmri/data/subsample.py
 * @example createMask({ type: 'random', columns: 368, acceleration: 4, centerFraction: 0.08, filename: 'file1.h5' });
 */
export function createMask(options: MaskOptions): LineMask {
  const { type, columns, seed, filename } = options;
  if (!MASK_TYPES.includes(type)) fail('type', `one of ${MASK_TYPES.join(', ')}`, type);
  if (!(Number.isInteger(columns) && columns > 0)) fail('columns', 'a positive integer', columns);
  if ((seed === undefined) === (filename === undefined)) fail('seed', 'given, or else filename, and not both', seed);
  const pairs = checkedPairs(options);
  const random = new MT19937(seed ?? seedFromName(basename(filename!)));
  const { acceleration, fraction } = random.pick(pairs);
  const lowFrequencies = lowFrequencyCount(type, columns, acceleration, fraction);
  const data = LINES[type]({ random, columns, acceleration, lowFrequencies });
  const start = (columns - lowFrequencies + 1) >> 1;
  data.fill(1, start, start + lowFrequencies);
  const mask = { data, shape: [columns] as const, lowFrequencies, acceleration, centerFraction: fraction };
  expectMask('createMask', mask, 1, columns);
  return mask;
}
