// Which samples a reconstruction works from: those the scan measured, or a mask drawn for a fully sampled one.

import { LarmorError } from '../errors.js';
import type { Scan } from '../io/scan.js';
import { createMask, MASK_TYPES, type MaskType, type SamplingMask, sampledCount } from '../sampling/mask.js';

/** Retrospective undersampling of a fully sampled scan. */
export interface Undersampling {
  /** Default: random. */
  readonly type?: MaskType | undefined;
  readonly acceleration: number;
  /** Fraction of columns at the centre that are always sampled. Default: 0.32 / acceleration, as fastMRI pairs them. */
  readonly centerFraction?: number | undefined;
  /** Default: drawn from the file's name, as fastMRI does, so that all slices share one mask. */
  readonly seed?: number | undefined;
}

/** The samples to reconstruct from, and how they came about. */
export interface Sampling {
  /** Columns outside the scan's acquired ones count as measured: they are zero in its reference too. */
  readonly mask: SamplingMask;
  /** K-space must be multiplied by the mask before use. */
  readonly retrospective: boolean;
  readonly description: {
    readonly source: 'scan' | 'drawn' | 'full';
    /** Acquired positions over sampled ones. */
    readonly acceleration: number;
    readonly type?: MaskType;
    readonly centerFraction?: number;
    readonly seed?: number | string;
  };
}

/** fastMRI pairs 4x with 0.08 and 8x with 0.04. */
const CENTER_FRACTION_TIMES_ACCELERATION = 0.32;

/**
 * The sampling of `scan`, undersampled if asked for.
 *
 * @throws LarmorError `ERR_ARGUMENT` for undersampling of a scan that is undersampled already, or options out of range.
 */
export function planSampling(scan: Scan, undersample: Undersampling | undefined): Sampling {
  const [, kx] = scan.matrix;
  if (!undersample) {
    const mask = scan.mask ?? { data: new Uint8Array(kx).fill(1), shape: [kx] };
    const source = scan.mask ? 'scan' : 'full';
    // Also with a mask of its own a file may hold values between its samples: none of them counts.
    const description = { source, acceleration: accelerationOf(mask, scan) } as const;
    return { mask: withPadding(mask, scan), retrospective: scan.mask !== undefined, description };
  }
  if (!scan.fullySampled)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `undersample: ${scan.name} is undersampled already; leave the option out, or give a fully sampled scan`,
    );
  const { type = 'random', acceleration, seed } = undersample;
  const { centerFraction = CENTER_FRACTION_TIMES_ACCELERATION / acceleration } = undersample;
  if (!MASK_TYPES.includes(type))
    throw new LarmorError('ERR_ARGUMENT', `undersample.type must be one of ${MASK_TYPES.join(', ')}, got ${type}`);
  const source = seed === undefined ? { filename: scan.name } : { seed };
  const mask = createMask({ type, columns: kx, acceleration, centerFraction, ...source });
  const drawn = { source: 'drawn', acceleration: accelerationOf(mask, scan), type, centerFraction } as const;
  return { mask: withPadding(mask, scan), retrospective: true, description: { ...drawn, seed: seed ?? scan.name } };
}

function accelerationOf(mask: SamplingMask, { acquiredColumns: [first, end], matrix: [ky, kx] }: Scan): number {
  const acquired = mask.data.filter((_, i) => i % kx >= first && i % kx < end);
  const rows = mask.shape.length === 1 ? 1 : ky;
  return (rows * (end - first)) / Math.max(1, sampledCount({ data: acquired, shape: [acquired.length] }));
}

function withPadding(
  { data, shape }: SamplingMask,
  { acquiredColumns: [first, end], matrix: [, kx] }: Scan,
): SamplingMask {
  if (first === 0 && end === kx) return { data, shape };
  return { data: data.map((bit, i) => (i % kx < first || i % kx >= end ? 1 : bit)), shape };
}
